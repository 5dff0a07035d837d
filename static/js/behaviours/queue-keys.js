// Handle the queue's keys: J K move a cursor, Enter opens, X selects (with Shift, a range), Esc clears the selection.
// Rows are [data-row], their link is [data-open], their box is the checkbox inside. The cursor survives a refresh.
import { isTyping } from "../lib/dom.js";

export function queueKeys(queue) {
  let at = "";
  let anchor = null;
  const rows = () => [...queue.querySelectorAll("[data-row]")];
  const boxOf = (row) => row.querySelector("input[type=checkbox]");
  const cursor = () => queue.querySelector("[data-cursor]");

  function move(row, quietly = false) {
    cursor()?.removeAttribute("data-cursor");
    if (!row) return;
    row.setAttribute("data-cursor", "");
    at = row.dataset.row;
    if (quietly) return;
    row.querySelector("[data-open]")?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  function step(by) {
    const all = rows();
    const index = all.indexOf(cursor());
    move(all[index < 0 ? 0 : Math.min(Math.max(index + by, 0), all.length - 1)]);
  }

  function mark(row, on, range) {
    const all = rows();
    const from = range && anchor ? all.indexOf(all.find((item) => item.dataset.row === anchor)) : -1;
    const to = all.indexOf(row);
    const chosen = from >= 0 ? all.slice(Math.min(from, to), Math.max(from, to) + 1) : [row];
    chosen
      .map(boxOf)
      .filter(Boolean)
      .forEach((box) => {
        box.checked = on;
      });
    anchor = row.dataset.row;
    tell();
  }

  function tell() {
    const boxes = rows().map(boxOf).filter(Boolean);
    const chosen = boxes.filter((box) => box.checked);
    for (const row of rows()) row.toggleAttribute("data-selected", Boolean(boxOf(row)?.checked));
    const all = queue.querySelector("[data-select-all]");
    if (all) {
      all.checked = chosen.length > 0 && chosen.length === boxes.length;
      all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
    }
    const note = document.querySelector("[data-selected-count]");
    const words = chosen.length && (chosen.length === 1 ? note?.dataset.textOne : note?.dataset.textMany);
    if (note && words) note.textContent = words.replace("{n}", chosen.length);
    for (const bar of document.querySelectorAll(".bulkbar")) bar.toggleAttribute("hidden", !chosen.length);
  }

  document.addEventListener("keydown", (event) => {
    if (
      !queue.isConnected ||
      document.body.dataset.shortcuts === "off" ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey
    )
      return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape" && queue.querySelector("[data-row] input:checked")) clear();
    if (isTyping(event.target)) return;
    const row = cursor();
    switch (event.key.toLowerCase()) {
      case "j":
        step(1);
        break;
      case "k":
        step(-1);
        break;
      case "x":
        if (row) mark(row, !boxOf(row)?.checked || event.shiftKey, event.shiftKey);
        break;
      case "enter":
        if (!row || event.target.closest("a, button, summary, input")) return;
        row.querySelector("[data-open]")?.click();
        break;
      default:
        return;
    }
    event.preventDefault();
  });
  queue.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) {
      rows()
        .map(boxOf)
        .filter(Boolean)
        .forEach((box) => {
          box.checked = event.target.checked;
        });
    }
    tell();
  });
  queue.addEventListener("click", (event) => {
    const row = event.target.closest("[data-row]");
    if (!row) return;
    move(row, true);
    if (event.target.matches("input[type=checkbox]")) mark(row, event.target.checked, event.shiftKey);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-clear]")) {
      event.preventDefault();
      clear();
    }
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (!queue.isConnected) return;
    if (at && !cursor())
      move(
        rows().find((row) => row.dataset.row === at),
        true,
      );
    tell();
  });
  tell();

  function clear() {
    queue.querySelectorAll("input[type=checkbox]").forEach((box) => {
      box.checked = false;
    });
    tell();
  }
}
