// Update «hace 12 min» while the page is open. Under a minute and after a day, the server's text stays as it is.
import { language } from "../lib/dom.js";

const clocks = new Set();

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
  if (!(seconds >= 60 && seconds < 86400)) return;
  const words = new Intl.RelativeTimeFormat(language(), { numeric: "always", style: "short" });
  const text =
    seconds < 3600
      ? words.format(-Math.floor(seconds / 60), "minute")
      : words.format(-Math.floor(seconds / 3600), "hour");
  if (element.textContent !== text) element.textContent = text;
}
