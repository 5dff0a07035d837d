// Whether somebody types right now, told to colleagues by the page's next pulse: this hidden field says 1 for a while.

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
