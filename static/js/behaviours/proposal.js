// Take the proposed answer into the composer. The row is marked as taken while the composer has the text, and above the
// composer stands which solved ticket it comes from. «Quitar» removes the text unless it was changed. Without script,
// the link loads the page again with the text inserted.
// The button that takes everything sends the form, too.
import { insert } from "./insert-text.js";
import { fill } from "../lib/dom.js";

export function proposal(region) {
  const area = document.getElementById("composer-body");
  const place = document.getElementById("composer-sources");
  if (!area || !place) return;
  let had = false;

  const offered = () => region.querySelector("[data-insert]");
  const has = (text) => Boolean(text) && area.value.includes(text);

  const mark = () => {
    const answer = offered();
    const isTaken = has(answer?.dataset.insert);
    if (answer) {
      answer.hidden = isTaken;
      const row = answer.closest("li");
      row.toggleAttribute("data-taken", isTaken);
      row.querySelector("[data-taken-tag]").hidden = !isTaken;
    }
    if (isTaken && !place.querySelector("[data-drops]"))
      place.replaceChildren(region.querySelector("[data-source-bar]").content.cloneNode(true));
    else if (!area.value.trim()) place.replaceChildren();
    for (const button of place.querySelectorAll("[data-drop]")) button.hidden = false;
    count();
  };

  const count = () => {
    const rows = [...region.querySelectorAll("[data-part]")];
    const n = rows.filter((row) => row.hasAttribute("data-taken")).length;
    const counter = region.querySelector("[data-count]");
    if (counter) counter.textContent = n ? fill(counter.dataset.text, { n, total: rows.length }) : "";
    const all = region.querySelector("[data-take-all]");
    if (all) all.hidden = n === rows.length;
  };

  region.addEventListener("click", (event) => {
    const taker = event.target.closest("[data-takes-answer]");
    if (!taker) return;
    const answer = offered();
    if (answer && !has(answer.dataset.insert)) insert(answer, area);
    if (taker === answer) event.preventDefault();
    mark();
  });

  place.addEventListener("click", (event) => {
    if (!event.target.closest("[data-drop]")) return;
    const text = place.querySelector("[data-drops]").dataset.drops;
    if (has(text)) {
      area.value = area.value.replace(text, () => "").trim();
      area.dispatchEvent(new Event("input", { bubbles: true }));
    }
    place.replaceChildren();
    area.focus();
    mark();
  });

  area.addEventListener("input", mark);
  area.form.addEventListener("desk:mode", mark);

  // The row that had the focus may be gone after it was taken: the next one gets it.
  region.addEventListener("htmx:beforeSwap", () => {
    had = region.contains(document.activeElement);
  });
  region.addEventListener("htmx:afterSettle", () => {
    mark();
    if (had && document.activeElement === document.body)
      (region.querySelector("[data-key]:not([hidden])") || region.querySelector("summary"))?.focus();
    had = false;
  });
  mark();
}
