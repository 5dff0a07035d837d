// Ask before leaving a page with text that was neither sent nor saved as a draft.

const OURS = new Set(["csrfmiddlewaretoken", "version"]); // the page renews these by itself

export function dirtyGuard(form) {
  const state = () =>
    new URLSearchParams(
      [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !OURS.has(name)),
    ).toString();
  let clean = state();
  const settle = () => {
    clean = state();
  };
  form.addEventListener("submit", settle);
  form.addEventListener("desk:kept", settle);
  window.addEventListener("beforeunload", (event) => {
    if (form.isConnected && state() !== clean) event.preventDefault();
  });
}
