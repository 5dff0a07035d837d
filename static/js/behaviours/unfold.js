// When a person unfolds this <details>, move the focus to its first field, because opening hides the summary.
// A refreshed page that shows it open moves no focus.

export function unfold(details) {
  details.querySelector("summary").addEventListener("click", () => {
    setTimeout(
      () =>
        details.open && details.querySelector("textarea, select, input:not([type=hidden]), button")?.focus(),
    );
  });
}
