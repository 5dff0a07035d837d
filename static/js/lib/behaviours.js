// Call behaviours[name](element) once for each name in data-behaviour="name other". Call bindAll again after htmx has
// added elements.

const bound = new WeakMap();

export function bindAll(behaviours, root) {
  const elements = [...root.querySelectorAll("[data-behaviour]")];
  if (root instanceof Element && root.dataset.behaviour) elements.unshift(root);
  for (const element of elements) {
    const done = bound.get(element) || new Set();
    bound.set(element, done);
    for (const name of element.dataset.behaviour.split(/\s+/)) {
      if (!done.has(name) && behaviours[name]) {
        done.add(name);
        behaviours[name](element);
      }
    }
  }
}
