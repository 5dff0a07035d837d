// Edit a property in its place: Enter saves it, also in a <select>; Esc cancels.

export function inlineEdits() {
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest?.("form.inline-edit");
    if (!form) return;
    if (event.key === "Enter" && event.target.matches("select")) form.requestSubmit();
    else if (event.key === "Escape") form.querySelector("[data-cancel]").click();
    else return;
    event.preventDefault();
  });
}
