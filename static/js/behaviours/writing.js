// Set this hidden field to 1 while the person types in the form data-form, and to 0 some seconds later. The page's next
// pulse sends it, and colleagues see who is writing.

const WHILE = 8000;

export function writing(field) {
  let timer;
  document.getElementById(field.dataset.form)?.addEventListener("input", () => {
    field.value = "1";
    clearTimeout(timer);
    timer = setTimeout(() => {
      field.value = "0";
    }, WHILE);
  });
}
