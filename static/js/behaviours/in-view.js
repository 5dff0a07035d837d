// The line of a long list that one is on is in sight.

export function inView(element) {
  element.scrollIntoView({ block: "nearest" });
}
