// Keep «hace 12 min» true while the page is open, in the words that the server gives for each unit. Under a minute, and
// for what is still to come, the server's text stays as it is.
const clocks = new Set();
const UNITS = [
  ["days", 86400],
  ["hours", 3600],
  ["minutes", 60],
];

export function relativeTime(element) {
  if (!clocks.size) setInterval(() => clocks.forEach(tellTime), 20000);
  clocks.add(element);
  tellTime(element);
}

function tellTime(element) {
  if (!element.isConnected) {
    clocks.delete(element);
    return;
  }
  const seconds = (Date.now() - Date.parse(element.dateTime)) / 1000;
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? [];
  if (!unit) return;
  const text = element.dataset[unit].replace("{n}", Math.floor(seconds / size));
  if (element.textContent !== text) element.textContent = text;
}
