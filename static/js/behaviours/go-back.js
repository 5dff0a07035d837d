// Go back to the page before, where the browser still has what was typed. The button is hidden if there is none, and
// without script.

export function goBack(button) {
  button.hidden = history.length < 2;
  button.addEventListener("click", () => history.back());
}
