// Show how many characters are left («Quedan 40 caracteres») once four fifths of maxlength are used.
import { fill } from "../lib/dom.js";

export function charCounter(area) {
  const limit = area.maxLength;
  if (limit <= 0 || !area.dataset.textLeft) return;
  const note = document.createElement("div");
  note.className = "form-text text-end";
  note.setAttribute("role", "status");
  area.after(note);
  const count = () => {
    const left = limit - area.value.length;
    note.textContent = left <= limit / 5 ? fill(area.dataset.textLeft, { n: left }) : "";
  };
  area.addEventListener("input", count);
  count();
}
