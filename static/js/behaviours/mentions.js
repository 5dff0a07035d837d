// After «@» and the beginning of a name in a note, list colleagues who may see the ticket. Choosing one writes «@» and
// their e-mail address, as people without script do by hand.
import { debounce } from "../lib/dom.js";

const BEFORE = /(?:^|[\s(])@([^\s@]{0,40})$/;

export function mentions(box) {
  const form = box.closest("form");
  const area = form?.querySelector("textarea");
  if (!area) return;
  const list = document.createElement("div");
  list.className = "mentions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", box.dataset.label);
  list.id = "mentions";
  list.hidden = true;
  box.append(list);
  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");
  const typed = () =>
    form.querySelector("[data-look=note]:checked")
      ? BEFORE.exec(area.value.slice(0, area.selectionStart))
      : null;

  const choose = (option) => {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    if (option) area.setAttribute("aria-activedescendant", option.id);
    else area.removeAttribute("aria-activedescendant");
  };
  let shownFor = null; // the beginning of the name for which the list was drawn
  const close = () => {
    list.hidden = true;
    shownFor = null;
    area.removeAttribute("aria-activedescendant");
  };
  const write = (option) => {
    const found = typed();
    if (!found || !option) return;
    const from = area.selectionStart - found[1].length;
    area.setRangeText(`${option.dataset.email} `, from, area.selectionStart, "end");
    close();
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  };
  const look = debounce(150, async () => {
    const found = typed();
    if (!found) return close();
    const answer = await fetch(`${box.dataset.mentions.split("?")[0]}?q=${encodeURIComponent(found[1])}`, {
      credentials: "same-origin",
      headers: { "X-Requested-With": "XMLHttpRequest" },
    }).catch(() => null);
    if (!answer?.ok || !typed()) return close();
    list.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.children);
    options().forEach((option, index) => {
      option.id = `mention-${index}`;
    });
    list.hidden = !list.children.length;
    shownFor = found[1];
    choose(options()[0]);
  });

  area.addEventListener("input", () => (typed() ? look() : close()));
  area.addEventListener("blur", () => setTimeout(close, 200));
  area.addEventListener("keydown", (event) => {
    const all = options();
    // A list for other letters than those before the cursor is out of date: the key does what it always does.
    if (list.hidden || !all.length || typed()?.[1] !== shownFor) return;
    const at = all.indexOf(chosen());
    if (event.key === "ArrowDown" || event.key === "ArrowUp")
      choose(all[(at + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]);
    else if ((event.key === "Enter" || event.key === "Tab") && !event.ctrlKey && !event.metaKey)
      write(chosen());
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    write(event.target.closest("[role=option]"));
  });
}
