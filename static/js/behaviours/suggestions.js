// Offer answers while the title and the description of a report are typed (data-url), after a pause. The panel changes
// only when other answers fit, and never while somebody types; what was put aside («No es mi caso») stays away. With
// data-answers a second request asks for an answer in the provider's own words. Whatever fails, nothing is said: the
// report can be sent without.
import { debounce, fill, post } from "../lib/dom.js";

const FIELDS = ["title", "description"];
const PAUSE = 900;
const SHORTEST = 8;

export function suggestions(panel) {
  const form = panel.closest("form");
  const items = panel.querySelector("[data-items]");
  const answer = panel.querySelector("[data-answer]");
  const status = form.querySelector("[data-suggested]");
  const fields = FIELDS.map((name) => form.elements[name]).filter(Boolean);
  const aside = new Set();
  let asked = "";
  let closed = false;

  const typed = () => fields.map((field) => field.value.trim()).join("\n");
  const keys = (list) => [...list.children].map((item) => item.dataset.key).join(" ");
  const body = (more = {}) => {
    const data = new FormData();
    for (const field of fields) data.set(field.name, field.value);
    data.set("tipo", form.elements.tipo.value);
    for (const [name, value] of Object.entries(more)) data.set(name, value);
    return data;
  };
  const fragment = async (more) => {
    const response = await post(panel.dataset.url, body(more));
    if (response.status !== 200 && response.status !== 204) throw new Error(`status ${response.status}`);
    return response.status === 200 ? response.text() : "";
  };

  const ask = async () => {
    const text = typed();
    if (closed || text === asked) return;
    asked = text;
    if (text.length < SHORTEST) {
      show("");
      return;
    }
    try {
      const html = await fragment();
      if (typed() !== text || !panel.isConnected || closed) return;
      show(html);
      if (!panel.hidden && "answers" in panel.dataset) await askInWords(text);
    } catch {
      asked = "";
    }
  };
  const askInWords = async (text) => {
    const html = await fragment({ respuesta: "1" });
    if (typed() === text && !closed) answer.innerHTML = html;
  };

  const show = (html) => {
    const found = document.createElement("div");
    found.innerHTML = html; // escaped by the server's template
    for (const item of [...found.children]) if (aside.has(item.dataset.key)) item.remove();
    if (keys(found) !== keys(items)) {
      items.replaceChildren(...found.children);
      answer.replaceChildren();
      tell();
    }
  };
  const tell = () => {
    const count = items.children.length;
    panel.hidden = count === 0;
    if (count === 0) status.textContent = "";
    else status.textContent = fill(panel.dataset[count === 1 ? "textOne" : "textMany"], { n: count });
  };

  const later = debounce(PAUSE, ask);
  for (const field of fields) field.addEventListener("input", later);
  if (typed().length >= SHORTEST) later();

  panel.addEventListener("click", (event) => {
    const button = event.target.closest("[data-dismiss], [data-close]");
    if (!button) return;
    if (button.matches("[data-close]")) {
      closed = true;
      panel.hidden = true;
      status.textContent = "";
      fields.at(-1)?.focus();
      return;
    }
    const item = button.closest("[data-key]");
    const next = item.nextElementSibling || item.previousElementSibling;
    aside.add(item.dataset.key);
    item.remove();
    panel.hidden = items.children.length === 0;
    (next?.querySelector("[data-dismiss]") || fields.at(-1))?.focus();
  });
}
