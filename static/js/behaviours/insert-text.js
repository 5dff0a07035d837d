// Append data-insert to the text of the composer. data-mode first chooses the kind of message, and data-asks says whether
// the follow-up asks for an answer.
// Without script, a link loads the page again with the text inserted.

export function insertText(button) {
  button.addEventListener("click", (event) => {
    const area = document.getElementById(button.dataset.target || "composer-body");
    if (!area) return;
    event.preventDefault();
    button.closest("details.menu")?.removeAttribute("open");
    insert(button, area);
  });
}

export function insert(button, area) {
  const mode =
    button.dataset.mode && area.form.querySelector(`[data-look][value="${CSS.escape(button.dataset.mode)}"]`);
  if (mode && !mode.checked) mode.click();
  const asks = area.form.querySelector("[data-asks]");
  if (asks && button.dataset.asks) {
    asks.checked = button.dataset.asks === "1";
    asks.dispatchEvent(new Event("change", { bubbles: true }));
  }
  const gap = area.value && !area.value.endsWith("\n") ? "\n\n" : "";
  area.setRangeText(gap + button.dataset.insert, area.value.length, area.value.length, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
}
