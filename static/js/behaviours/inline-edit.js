// A fact changed in its place: Enter keeps it, also from a list of choices; Esc leaves it as it was.

export function inlineEdit(form) {
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("select")) form.requestSubmit();
    else if (event.key === "Escape") form.querySelector("[data-cancel]").click();
    else return;
    event.preventDefault();
  });
}
