// Scroll the current line of a long list into view.

export function inView(element) {
  element.scrollIntoView({ block: "nearest" });
}
