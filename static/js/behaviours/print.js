// Print the page. The button is hidden without script: browsers print by their own menu, too.

export function print(button) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
