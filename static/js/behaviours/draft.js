// Keeps what is being typed: on the server where the form has data-draft-url, else (or when that fails) in this
// browser, under data-draft-key. Restores it into fields that are still empty.
import { debounce, fill, language, post } from "../lib/dom.js";

const WEEK = 7 * 24 * 3600 * 1000;
const PREFIX = "desk-draft:";

export function draft(form) {
  const key = form.dataset.draftKey ? PREFIX + form.dataset.draftKey : "";
  const url = form.dataset.draftUrl;
  const status = form.querySelector("[data-draft-status]");
  const say = (text) => {
    if (status) status.textContent = text || "";
  };
  const fields = () => [...form.querySelectorAll("textarea[name], input[name]:is([type=text], [type=search], [type=tel], :not([type]))")].filter((field) => !field.readOnly && !field.disabled);

  const keepHere = (sent = false) => {
    if (!key) return false;
    const values = Object.fromEntries(fields().map((field) => [field.name, field.value]));
    try {
      if (Object.values(values).some((value) => value.trim())) localStorage.setItem(key, JSON.stringify({ at: Date.now(), sent, values }));
      else localStorage.removeItem(key);
      return true;
    } catch {
      return false;
    }
  };
  const kept = () => {
    const time = new Intl.DateTimeFormat(language(), { hour: "numeric", minute: "2-digit", hour12: false }).format(new Date());
    say(fill(form.dataset.textSaved || "", { time }));
    form.dispatchEvent(new CustomEvent("desk:kept"));
  };
  const save = debounce(800, async () => {
    let saved = false;
    if (url) {
      const body = new FormData(form);
      [...body].forEach(([name, value]) => value instanceof File && body.delete(name));
      try {
        saved = (await post(url, body)).status < 300;
      } catch {
        saved = false;
      }
    }
    if (saved && key) localStorage.removeItem(key);
    if (saved || keepHere()) kept();
  });

  if (key) restore();
  // What was a draft of one kind has become one of another.
  form.addEventListener("desk:forget", (event) => {
    const body = new FormData();
    Object.entries(event.detail).forEach(([name, value]) => body.append(name, value));
    if (url) post(url, body).catch(() => {});
  });
  form.addEventListener("input", save);
  form.addEventListener("submit", () => {
    save.cancel();
    keepHere(true); // stays until the text is seen on the page: a session may have ended meanwhile
  });

  function restore() {
    let stored;
    try {
      stored = JSON.parse(localStorage.getItem(key));
    } catch {
      stored = null;
    }
    if (!stored) return;
    const page = letters(document.getElementById("contenido")?.textContent || "");
    const longest = Object.values(stored.values).map(letters).reduce((one, other) => (other.length > one.length ? other : one), "");
    const seen = longest.length > 3 && page.includes(longest.slice(0, 200));
    const arrived = stored.sent && (seen || location.hash.startsWith("#mensaje-"));
    if (arrived || Date.now() - stored.at > WEEK) {
      localStorage.removeItem(key);
      return;
    }
    let restored = false;
    for (const field of fields()) {
      const value = stored.values[field.name];
      if (value && value.trim() && !field.value) {
        field.value = value;
        field.dispatchEvent(new Event("input", { bubbles: false }));
        restored = true;
      }
    }
    if (restored) say(form.dataset.textRestored);
  }
}

// Marks and numbers of a list are typed, but drawn by the browser.
function letters(text) {
  return text.replace(/[^\p{L}]+/gu, "");
}
