// Copy the address in data-copy, else in href, else the page's, and show a snack that says so.
import { addSnack } from "../lib/snacks.js";

export function copyLink(button) {
  if (!navigator.clipboard) {
    button.hidden = true;
    return;
  }
  button.hidden = false;
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    await navigator.clipboard.writeText(
      new URL(button.dataset.copy || button.getAttribute("href") || "", location.href).href,
    );
    addSnack(button.dataset.textCopied);
    document.dispatchEvent(new CustomEvent("desk:bind"));
  });
}
