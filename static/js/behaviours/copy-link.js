// Copy the text in data-copy-text, or the address in data-copy, in href, else the page's, and show a snack that says so,
// or why not.
import { fill } from "../lib/dom.js";
import { addSnack } from "../lib/snacks.js";

export function copyLink(button) {
  if (!navigator.clipboard) {
    button.hidden = true;
    return;
  }
  button.hidden = false;
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    const address = button.dataset.copy || button.getAttribute("href") || "";
    const href = button.dataset.copyText || new URL(address, location.href).href;
    try {
      await navigator.clipboard.writeText(href);
      addSnack(button.dataset.textCopied);
    } catch {
      // The browser denies the clipboard: show the address, so that the person can copy it by hand.
      addSnack(fill(button.dataset.textDenied || "{link}", { link: href }), "error");
    }
    document.dispatchEvent(new CustomEvent("desk:bind"));
  });
}
