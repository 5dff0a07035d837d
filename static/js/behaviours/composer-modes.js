// Show the submit label and the hint of the chosen kind of message, a radio. CSS sets the colours.
// A radio with data-body holds the draft of its kind, and choosing it shows that draft. If the draft is empty, a text
// for the requester moves to the other kind for the requester. It never moves to a note, nor a note's text out of it.

export function composerModes(form) {
  const area = form.querySelector("textarea");
  const steps = form.querySelector("textarea[name=steps]");
  const label = form.querySelector("[data-submit-label]");
  let current = form.querySelector("[data-look]:checked");

  const apply = () => {
    if (!current) return;
    if (current.dataset.hint) area.placeholder = current.dataset.hint;
    const submit =
      (current.dataset.look === "public" && form.elements.version?.dataset.followUp) ||
      current.dataset.submit;
    if (label && submit) label.textContent = submit;
  };
  const swap = (from, to) => {
    if (!from || from === to || !("body" in to.dataset)) return;
    const moves = [from, to].every((mode) => mode.dataset.look !== "note") && !to.dataset.body;
    from.dataset.body = moves ? "" : area.value;
    if (steps) from.dataset.steps = steps.value;
    if (!moves) area.value = to.dataset.body;
    if (steps) steps.value = to.dataset.steps || "";
    if (!moves || !area.value) return;
    form.dispatchEvent(
      new CustomEvent("desk:forget", { detail: { [from.name]: from.value, [area.name]: "" } }),
    );
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  form.addEventListener("change", (event) => {
    if (!event.target.matches("[data-look]")) return;
    swap(current, event.target);
    current = event.target;
    apply();
    form.dispatchEvent(new CustomEvent("desk:mode", { bubbles: true }));
  });
  // A changed ticket may change the follow-up's label: htmx then replaces the version input, which holds it.
  document.addEventListener("htmx:oobAfterSwap", () => form.isConnected && apply());
  // keys.js sends desk:write after R or N has chosen a kind of message.
  form.addEventListener("desk:write", () => area.focus());
  form.addEventListener("keydown", (event) => {
    if (event.target.matches("textarea") && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  apply();
}
