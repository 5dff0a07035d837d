// Puts data-insert into the composer, after what is already there; data-mode first chooses the kind of message it is.
// On a link it goes before the link, which without script brings the page back with the text in place.

export function insertText(button) {
  button.addEventListener("click", (event) => {
    const area = document.getElementById(button.dataset.target || "composer-body");
    if (!area) return;
    event.preventDefault();
    button.closest("details.menu")?.removeAttribute("open");
    const mode =
      button.dataset.mode &&
      area.form.querySelector(`[data-look][value="${CSS.escape(button.dataset.mode)}"]`);
    if (mode && !mode.checked) mode.click();
    const gap = area.value && !area.value.endsWith("\n") ? "\n\n" : "";
    area.setRangeText(gap + button.dataset.insert, area.value.length, area.value.length, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  });
}
