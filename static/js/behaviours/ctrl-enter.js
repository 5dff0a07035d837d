// Submit this form on Ctrl + Enter, wherever the focus is, unless a dialog is open.

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
