// Keep the refreshes of a region (hx-get with hx-trigger="every 5s") from disturbing a person. A hidden tab sends
// no request, unless it is still empty. The answer is dropped, and asked for again a little later, while a field inside has the focus or holds unsent text, while text inside is
// selected, a menu or dialog is open or a property is being edited in its place. A refresh keeps what was unfolded, the
// focus, and the scroll position (or the end, if it was there).

import { placeOf } from "../lib/place.js";

const RETRY = 3000; // regions that nothing else asks for again have desk:retry in their hx-trigger

export function poll(region) {
  let memory = null;
  let retry;

  region.addEventListener("htmx:beforeRequest", (event) => {
    if (
      event.detail.elt === region &&
      document.hidden &&
      region.querySelector(":scope > :not(noscript)") &&
      !event.detail.requestConfig?.triggeringEvent?.isTrusted
    )
      event.preventDefault();
  });
  region.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.requestConfig.elt !== region || event.detail.xhr.status === 204) return;
    if (busy(region)) {
      event.detail.shouldSwap = false;
      clearTimeout(retry);
      retry = setTimeout(() => region.dispatchEvent(new CustomEvent("desk:retry")), RETRY);
      return;
    }
    if (region.querySelector(":scope > :not(noscript)")) region.dataset.refreshed = "";
    const scroller = region.closest("[data-keep-scroll]") || region.querySelector("[data-keep-scroll]");
    memory = {
      focus: placeOf(region),
      open: [...region.querySelectorAll("details[open][id]")].map((item) => item.id),
      scroller: scroller?.id,
      top: scroller?.scrollTop,
      atEnd: scroller ? scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 40 : false,
    };
  });
  region.addEventListener("htmx:afterSettle", () => {
    if (!memory) return;
    for (const id of memory.open) document.getElementById(id)?.setAttribute("open", "");
    const scroller = memory.scroller && document.getElementById(memory.scroller);
    if (memory.focus && document.activeElement === document.body)
      region.querySelector(memory.focus)?.focus({ preventScroll: true });
    if (scroller) scroller.scrollTop = memory.atEnd ? scroller.scrollHeight : memory.top;
    memory = null;
  });
}

function busy(region) {
  const focused = document.activeElement;
  if (
    focused &&
    focused !== region &&
    region.contains(focused) &&
    focused.matches("input, textarea, select, [contenteditable=true]")
  )
    return true;
  if (region.querySelector("details.menu[open], dialog[open], .inline-edit")) return true;
  if (
    [...region.querySelectorAll("textarea, input:is([type=text], [type=email], :not([type]))")].some(
      (field) => field.value !== field.defaultValue,
    )
  )
    return true;
  const selection = document.getSelection();
  return Boolean(selection && !selection.isCollapsed && region.contains(selection.anchorNode));
}

// Scroll a long conversation to its end.
export function scrollToEnd(region) {
  region.scrollTop = region.scrollHeight;
}
