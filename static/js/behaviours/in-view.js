// Scroll the current line of a long list into view. Not when the list is refreshed: the person may have scrolled it.

export function inView(element) {
  if (!element.closest("[data-refreshed]")) element.scrollIntoView({ block: "nearest" });
}
