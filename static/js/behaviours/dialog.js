// Open the <dialog> named in data-dialog. Without script a link goes to its own page.

export function dialogOpener(opener) {
  opener.addEventListener("click", (event) => {
    const dialog = document.getElementById(opener.dataset.dialog);
    if (!dialog) return;
    event.preventDefault();
    opener.closest("details.menu")?.removeAttribute("open");
    if (!dialog.open) dialog.showModal();
  });
}

export function dialogs() {
  // htmx fills a dialog after it opened, when its close button has the focus: move the focus to the first field. Not on
  // touch screens, where the keyboard would cover the dialog.
  document.addEventListener("htmx:afterSettle", (event) => {
    const dialog = event.target.closest?.("dialog[open]");
    if (
      dialog &&
      document.activeElement.matches("dialog, [data-close]") &&
      matchMedia("(pointer: fine)").matches
    )
      firstField(dialog)?.focus();
  });
  document.addEventListener("click", (event) => {
    const dialog = event.target.closest("dialog[open]");
    if (!dialog) return;
    const outside = event.target === dialog && !inBox(dialog, event);
    if (outside || event.target.closest("[data-close]")) dialog.close();
  });
}

function firstField(dialog) {
  return (
    dialog.querySelector("[autofocus]") || dialog.querySelector("input:not([type=hidden]), select, textarea")
  );
}

function inBox(dialog, event) {
  const box = dialog.getBoundingClientRect();
  return (
    event.clientX >= box.left &&
    event.clientX <= box.right &&
    event.clientY >= box.top &&
    event.clientY <= box.bottom
  );
}
