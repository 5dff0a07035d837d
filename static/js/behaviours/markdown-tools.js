// Buttons that write the marks of Markdown in the textarea data-target: data-around stands on both sides of what is
// selected, data-line begins the line. Without script they stay hidden, and one types the marks.

export function markdownTools(bar) {
  const area = document.getElementById(bar.dataset.target);
  if (!area) return;
  bar.hidden = false;
  bar.addEventListener("click", (event) => {
    const { around, line } = event.target.closest("button")?.dataset || {};
    if (around) {
      const chosen = area.value.slice(area.selectionStart, area.selectionEnd);
      const start = area.selectionStart + around.length;
      area.setRangeText(around + chosen + around, area.selectionStart, area.selectionEnd, "end");
      area.setSelectionRange(start, start + chosen.length);
    } else if (line) {
      const start = area.value.lastIndexOf("\n", area.selectionStart - 1) + 1;
      area.setRangeText(line, start, start, "preserve");
    } else return;
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  });
}
