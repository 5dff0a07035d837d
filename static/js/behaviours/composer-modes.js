// The chosen kind of message renames the button and the hint. The tint is CSS; the choice itself is a radio.
// Radios with data-body hold what was being written in each kind: changing the kind changes the text. What is meant for
// the requester may move between kinds that are; what is written in a note never slips into one of those, nor back.

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
  // What a follow-up does changes with the ticket; the page renews the version, and with it these words.
  document.addEventListener("htmx:oobAfterSwap", () => form.isConnected && apply());
  // R and N arrive here as clicks on the radio: the next thing is to write.
  form.addEventListener("desk:write", () => area.focus());
  form.addEventListener("keydown", (event) => {
    if (event.target.matches("textarea") && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  apply();
}
