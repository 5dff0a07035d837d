// Back to the page before, where the browser still holds what was typed. Appears only with script and with a page before.

export function goBack(button) {
  button.hidden = history.length < 2;
  button.addEventListener("click", () => history.back());
}
