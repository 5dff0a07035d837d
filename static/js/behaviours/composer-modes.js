// Show the submit label and the hint of the chosen kind of message, a radio. CSS sets the colours.
// A radio with data-body holds the draft of its kind, and choosing it shows that draft. A text never moves from one kind
// to another: a solution is not a follow-up, and a note must not reach the requester.
// A refresh may replace the radios while the person writes (hx-swap-oob). What was typed stays; a kind that is not
// possible any more stays too while it has text. Its data-blocked says why it cannot be sent.

export function composerModes(form) {
  const area = form.querySelector("textarea");
  const steps = form.querySelector("textarea[name=steps]");
  const label = form.querySelector("[data-submit-label]");
  const note = form.querySelector("[data-mode-note]");
  const tabs = form.querySelector("[data-modes]");
  let current = form.querySelector("[data-look]:checked");
  let memory = null;

  const radios = () => [...form.querySelectorAll("[data-look]")];
  const hasText = () => [area, steps].some((field) => field?.value.trim());
  const apply = () => {
    if (!current) return;
    if (current.dataset.hint) area.placeholder = current.dataset.hint;
    const asks = form.querySelector("[data-asks]");
    const followUp = asks && !asks.checked ? asks.dataset.submit : form.elements.version?.dataset.followUp;
    const submit = (current.dataset.look === "public" && followUp) || current.dataset.submit;
    if (label && submit) label.textContent = submit;
    const blocked = current.dataset.blocked || "";
    if (note && note.textContent !== blocked) note.textContent = blocked;
    if (note) note.hidden = !blocked;
    const button = label?.closest("button");
    if (button && form.getAttribute("aria-busy") !== "true") button.disabled = Boolean(blocked);
  };
  const store = (mode) => {
    mode.dataset.body = area.value;
    if (steps) mode.dataset.steps = steps.value;
  };
  const show = (mode) => {
    area.value = mode.dataset.body || "";
    if (steps) steps.value = mode.dataset.steps || "";
  };
  const swap = (from, to) => {
    if (!from || from === to || !("body" in to.dataset)) return;
    if (area.value !== from.dataset.body || (steps && steps.value !== (from.dataset.steps || ""))) {
      // Save it now: the draft that is saved after the pause in typing will be that of the other kind.
      const typed = { [from.name]: from.value, [area.name]: area.value };
      if (steps) typed[steps.name] = steps.value;
      form.dispatchEvent(new CustomEvent("desk:keep", { detail: typed }));
    }
    store(from);
    show(to);
  };
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-asks]")) apply();
    if (!event.target.matches("[data-look]")) return;
    swap(current, event.target);
    current = event.target;
    apply();
    form.dispatchEvent(new CustomEvent("desk:mode", { bubbles: true }));
  });

  let asked = null; // whether the box that a refresh replaces was ticked
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    if (event.detail.target.id === "composer-asks")
      asked = form.querySelector("[data-asks]")?.checked ?? null;
    if (!tabs || event.detail.target !== tabs || !current) return;
    if ("body" in current.dataset) store(current);
    memory = new Map(radios().map((radio) => [radio.value, radio]));
  });
  // A changed ticket may also change the follow-up's label: htmx then replaces the version input, which holds it.
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (!form.isConnected) return;
    if (memory && event.detail.target === tabs) restore();
    const box = form.querySelector("[data-asks]");
    if (box && asked !== null && event.detail.target.id === "composer-asks") box.checked = asked;
    apply();
  });

  // Give the new radios the texts of the old ones, and choose the one that was chosen.
  function restore() {
    for (const radio of radios()) {
      const old = memory.get(radio.value);
      if (!old || !("body" in old.dataset)) continue;
      radio.dataset.body = old.dataset.body;
      radio.dataset.steps = old.dataset.steps || "";
    }
    memory = null;
    let again = radios().find((radio) => radio.value === current.value);
    if (!again && hasText()) {
      current.dataset.blocked = form.dataset.textBlocked || "";
      (radios().at(-1)?.closest("label") || tabs.lastElementChild).before(current.closest("label"));
      again = current;
    }
    if (!again || (again.dataset.blocked && !hasText())) {
      again = radios().find((radio) => !radio.dataset.blocked) || again;
      if (again && "body" in again.dataset) show(again);
    }
    current = again || null;
    if (current) current.checked = true;
  }

  // keys.js sends desk:write after R or N has chosen a kind of message.
  form.addEventListener("desk:write", () => area.focus());
  form.addEventListener("keydown", (event) => {
    if (event.target.matches("textarea") && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (!current?.dataset.blocked) form.requestSubmit();
    }
  });
  apply();
}
