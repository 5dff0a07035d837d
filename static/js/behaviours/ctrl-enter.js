// Ctrl + Enter sends the page's main form, wherever on the page one is reading.

export function ctrlEnter(form) {
  document.addEventListener("keydown", (event) => {
    if (
      event.key !== "Enter" ||
      !(event.ctrlKey || event.metaKey) ||
      event.defaultPrevented ||
      event.isComposing
    )
      return;
    if (!form.isConnected || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    form.requestSubmit();
  });
}
