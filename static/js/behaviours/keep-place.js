// When a refresh replaces the content of this region out of band (hx-swap-oob), keep the focus and what was unfolded.
import { placeOf } from "../lib/place.js";

export function keepPlace(region) {
  let memory = null;
  const unfolded = () => [...region.querySelectorAll("details")];

  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (event.detail.target !== region) return;
    memory = { focus: placeOf(region), open: unfolded().map((item) => item.open) };
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target !== region || !memory) return;
    unfolded().forEach((item, index) => {
      if (memory.open[index]) item.open = true;
    });
    if (memory.focus && document.activeElement === document.body)
      region.querySelector(memory.focus)?.focus({ preventScroll: true });
    memory = null;
  });
}
