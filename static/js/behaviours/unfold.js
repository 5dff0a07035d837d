// A <details> whose summary gives way to what it unfolds: the focus goes on to the first thing to answer, for where it
// was is gone. Only when a person unfolds it, never when a refreshed page shows it open again.

export function unfold(details) {
  details.querySelector("summary").addEventListener("click", () => {
    setTimeout(
      () =>
        details.open && details.querySelector("textarea, select, input:not([type=hidden]), button")?.focus(),
    );
  });
}
