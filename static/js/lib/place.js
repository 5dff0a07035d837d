// Remember where the focus is in a region, to find the same element again after its content was replaced.

// Return a selector that finds the focused element again, or "" if the focus is elsewhere.
export function placeOf(region) {
  const focused = document.activeElement;
  if (focused === region || !region.contains(focused)) return "";
  const name = ["id", "data-key", "data-insert", "href", "value", "name", "aria-label"].find((one) =>
    focused.getAttribute(one),
  );
  return name ? `${focused.localName}[${name}="${CSS.escape(focused.getAttribute(name))}"]` : "";
}
