// Handle the back office's keyboard shortcuts, on <body data-behaviour="keys">. An element's key is in data-key="a", or
// two in a row: data-key="g q". Single letters never act while typing, and not at all with data-shortcuts="off"
// (WCAG 2.1.4).
import { isTyping, visible } from "../lib/dom.js";

const PAUSE = 1200;

export function keys(body) {
  let first = "";
  let timer;

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      const palette = document.getElementById("palette");
      if (palette) {
        event.preventDefault();
        palette.dispatchEvent(new CustomEvent("desk:open"));
      }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || body.dataset.shortcuts === "off") return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const pair = first && `${first} ${key}`;
    const holder = (pair && holderOf(pair)) || holderOf(key);
    clearTimeout(timer);
    first = holder || key.length > 1 ? "" : key;
    timer = setTimeout(() => {
      first = "";
    }, PAUSE);
    if (holder) {
      event.preventDefault();
      press(holder);
    }
  });
}

function holderOf(key) {
  return [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find(
    (element) =>
      !element.disabled && (visible(element) || element.type === "radio" || element.closest("details.menu")),
  );
}

function press(element) {
  if (element.matches("input:not([type=radio], [type=checkbox]), textarea, select")) {
    element.focus();
    element.select?.();
    return;
  }
  element.click();
  if (element.type === "radio") element.form?.dispatchEvent(new CustomEvent("desk:write"));
}
