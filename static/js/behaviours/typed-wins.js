// While a proposal is on its way, the person may type into the part of this form that it will replace
// ([data-proposed]). Then the proposal is not shown, and asked for again with what was typed.

export function typedWins(form) {
  let asked = 0;
  let typed = 0;
  const isProposed = (element) => element.closest?.("[data-proposed]");

  form.addEventListener("input", (event) => {
    if (isProposed(event.target)) typed = performance.now();
  });
  form.addEventListener("htmx:beforeRequest", () => {
    asked = performance.now();
  });
  form.addEventListener("htmx:beforeSwap", (event) => {
    if (typed <= asked || !isProposed(event.detail.target)) return;
    event.detail.shouldSwap = false;
    const cause = event.detail.requestConfig.triggeringEvent;
    if (cause?.type === "change") cause.target.dispatchEvent(new Event("change", { bubbles: true }));
  });
}
