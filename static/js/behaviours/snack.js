// Remove a snack after 5 s, unless it is an error or has the pointer or the focus.

const STAY = 5000;

export function snackBehaviour(snack) {
  const close = snack.querySelector("[data-close]");
  if (close) {
    close.hidden = false;
    close.addEventListener("click", () => snack.remove());
  }
  if (snack.dataset.kind === "error" || !snack.closest(".snacks")) return;
  let timer;
  const start = () => {
    timer = setTimeout(() => snack.remove(), STAY);
  };
  const hold = () => clearTimeout(timer);
  snack.addEventListener("pointerenter", hold);
  snack.addEventListener("pointerleave", start);
  snack.addEventListener("focusin", hold);
  snack.addEventListener("focusout", start);
  start();
}
