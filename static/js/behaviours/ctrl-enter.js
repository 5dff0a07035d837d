// Submit this form on Ctrl + Enter, wherever the focus is, unless it lies behind an open dialog or in a closed one.

export function ctrlEnter(form) {
  document.addEventListener("keydown", (event) => {
    if (
      event.key !== "Enter" ||
      !(event.ctrlKey || event.metaKey) ||
      event.defaultPrevented ||
      event.isComposing
    )
      return;
    if (!form.isConnected || form.closest("dialog") !== document.querySelector("dialog[open]")) return;
    event.preventDefault();
    form.requestSubmit();
  });
}
