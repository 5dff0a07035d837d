// Save what is being typed: on the server if the form has data-draft-url; else, or if that fails, in this browser under
// data-draft-key, for this person alone (lib/person.js). The next page restores what the browser holds, unless it
// arrived or is older than a week. It also chooses the kind of message that it was, and replaces no other text that the
// page already holds. What is typed just before a page is loaded again waits in its tab, because the page may arrive
// sooner than the server has saved it. A hidden field typed_at gets the time of the last change, so that the server can
// tell a late save from a new one.
import { debounce, fill, language, post } from "../lib/dom.js";
import { draftKey, isStillOurs } from "../lib/person.js";
import { refusedText } from "../lib/snacks.js";

const WEEK = 7 * 24 * 3600 * 1000;
const RELOAD = 30 * 1000;
const TEXTS =
  "textarea[name], input[name]:is([type=text], [type=search], [type=tel], [type=email], :not([type]))";

export function draft(form) {
  const key = form.dataset.draftKey ? draftKey(form.dataset.draftKey) : "";
  const url = form.dataset.draftUrl;
  const leftKey = url ? draftKey(`left:${url}`) : "";
  let signedOut = false;
  const status = form.querySelector("[data-draft-status]");
  const say = (text) => {
    if (status) status.textContent = text || "";
  };
  const fields = () =>
    [...form.querySelectorAll(TEXTS)].filter((field) => !field.readOnly && !field.disabled);

  const mode = (value) =>
    form.querySelector(value ? `[data-look][value="${CSS.escape(value)}"]` : "[data-look]:checked");

  const texts = () => Object.fromEntries(fields().map((field) => [field.name, field.value]));
  const keepHere = (sent = false) => {
    if (!key || !isStillOurs()) return false;
    const values = texts();
    try {
      if (Object.values(values).some((value) => value.trim()))
        localStorage.setItem(key, JSON.stringify({ at: Date.now(), sent, values, mode: mode()?.value }));
      else localStorage.removeItem(key);
      return true;
    } catch {
      return false;
    }
  };
  const keepForReload = () => {
    if (!leftKey || !isStillOurs()) return;
    try {
      const left = { at: Date.now(), values: texts(), mode: mode()?.value };
      sessionStorage.setItem(leftKey, JSON.stringify(left));
    } catch {
      // Without storage, only the server has it.
    }
  };
  const forgetHere = () => {
    try {
      if (key) localStorage.removeItem(key);
      if (leftKey) sessionStorage.removeItem(leftKey);
    } catch {
      // Without storage, nothing is kept.
    }
  };
  const kept = (overwritten) => {
    form.dispatchEvent(new CustomEvent("desk:kept"));
    if (overwritten) return say(form.dataset.textOverwritten);
    const time = new Intl.DateTimeFormat(language(), {
      hour: "numeric",
      minute: "2-digit",
      hour12: false,
      timeZone: form.dataset.timeZone || undefined,
    }).format(new Date());
    say(fill(form.dataset.textSaved || "", { time }));
  };
  const fieldsToSend = () => {
    const body = new FormData(form);
    for (const [name, value] of [...body]) if (value instanceof File) body.delete(name);
    return body;
  };
  // One at a time, so that an earlier text never arrives after a later one.
  let sending = Promise.resolve();
  const send = (body) => {
    if (document.hidden) return post(url, body);
    const answer = sending.then(() => post(url, body));
    sending = answer.catch(() => {});
    return answer;
  };
  const saveNow = async () => {
    let saved = false;
    let overwritten = false;
    if (url) {
      if (document.hidden) keepForReload();
      try {
        const { status, headers } = await send(fieldsToSend());
        saved = status < 300;
        signedOut = status === 401;
        overwritten = headers.has("Desk-Draft-Overwritten");
        if ([401, 403].includes(status)) {
          const text = refusedText((name) => headers.get(name));
          document.dispatchEvent(new CustomEvent("desk:expired", { detail: { text } }));
        }
      } catch {
        saved = false;
      }
    }
    if (saved) forgetHere();
    // The page to sign in deletes what the browser holds. So the text is not kept: this page still has it.
    if (saved || (!signedOut && keepHere())) kept(overwritten);
  };
  const save = debounce(800, saveNow);

  if (key) restore();
  if (leftKey) restoreLeft();
  // composer-modes.js is about to show the text of another kind of message: save the old one with the given values.
  form.addEventListener("desk:keep", (event) => {
    if (!url) return;
    const body = fieldsToSend();
    for (const [name, value] of Object.entries(event.detail)) body.set(name, value);
    send(body).catch(() => {});
  });
  form.addEventListener("input", () => {
    if (form.elements.typed_at) form.elements.typed_at.value = Date.now();
    save();
  });
  // Save at once when the tab is closed or left, which may be before the pause in typing.
  document.addEventListener("visibilitychange", () => document.hidden && form.isConnected && save.flush());
  form.addEventListener("submit", (event) => {
    if (signedOut) {
      event.preventDefault();
      event.stopImmediatePropagation();
      sendOnceSignedIn(event.submitter);
      return;
    }
    save.cancel();
    keepHere(true); // stays until the text is seen on the page: a session may have ended meanwhile
  });

  // The reply is on the page to which its answer leads, which may be that of another ticket.
  form.addEventListener("htmx:beforeOnLoad", (event) => {
    const next = event.target === form && event.detail.xhr.getResponseHeader("HX-Redirect");
    if (next && new URL(next, location.href).hash.startsWith("#mensaje-")) forgetHere();
  });

  // The person may have signed in again in another tab meanwhile.
  async function sendOnceSignedIn(button) {
    save.cancel();
    await saveNow();
    if (!signedOut) form.requestSubmit(button);
  }

  // Another form of the page was refused, and its answer replaces this form too.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { elt } = event.detail.requestConfig;
    if (elt !== form && form.isConnected && event.detail.target?.contains(form)) keepHere();
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
    const longest = Object.values(stored.values)
      .map(letters)
      .reduce((one, other) => (other.length > one.length ? other : one), "");
    const seen = longest.length > 3 && page.includes(longest.slice(0, 200));
    const arrived = stored.sent && (seen || location.hash.startsWith("#mensaje-"));
    if (arrived || Date.now() - stored.at > WEEK) {
      localStorage.removeItem(key);
      return;
    }
    if (show(stored, joined)) say(form.dataset.textRestored);
  }

  // What was typed last in this tab replaces what the server had when it drew the page, and is saved again.
  function restoreLeft() {
    let left;
    try {
      left = JSON.parse(sessionStorage.getItem(leftKey));
      sessionStorage.removeItem(leftKey);
    } catch {
      left = null;
    }
    if (!left || Date.now() - left.at > RELOAD) return;
    const changed = show(left, (_field, text) => text);
    if (changed) setTimeout(() => form.dispatchEvent(new Event("input")));
  }

  // Show the stored texts, each as `choose(field, text)` says, and return whether a field changed.
  function show(stored, choose) {
    const kind = stored.mode && mode(stored.mode);
    if (kind && !kind.checked) kind.click();
    let changed = false;
    for (const field of fields()) {
      const value = choose(field, stored.values[field.name] || "");
      if (value !== field.value) {
        field.value = value;
        field.dispatchEvent(new Event("input", { bubbles: false }));
        changed = true;
      }
    }
    const folded = form.closest("details");
    if (changed && folded) folded.open = true;
    return changed;
  }
}

// Return the field's text or the kept one, whichever contains or continues the other. If neither does, return both for
// a textarea, and the field's text for an input.
function joined(field, kept) {
  const here = field.value;
  if (!kept.trim() || here.includes(kept.trim())) return here;
  if (!here.trim() || kept.startsWith(here.trim())) return kept;
  return field.matches("textarea") ? `${here.trimEnd()}\n\n${kept}` : here;
}

// Return only the letters of `text`. Marks and numbers of a list are typed, but are not in the page's text.
function letters(text) {
  return text.replace(/[^\p{L}]+/gu, "");
}
