// Take what solved tickets propose into the form that data-form names. A row with data-fills="severity" and data-value sets
// that field; a row whose field the form does not have is hidden. The form tells the server that something was
// taken. Without script, the rows are read and the fields chosen by hand.

export function fillsForm(region) {
  const form = document.getElementById(region.dataset.form);
  if (!form) return;

  const rows = () => [...region.querySelectorAll("[data-fills]")];
  const fieldOf = (row) => {
    const { fills, value } = row.dataset;
    const field = form.elements[fills];
    if (!field) return null;
    const options =
      field instanceof HTMLSelectElement ? [...field.options] : [...(field.length ? field : [field])];
    return options.find((option) => option.value === value) || null;
  };
  const isSet = (option) => (option instanceof HTMLOptionElement ? option.selected : option.checked);

  const draw = () => {
    let left = 0;
    for (const row of rows()) {
      row.hidden = !form.elements[row.dataset.fills];
      const option = fieldOf(row);
      const taken = Boolean(option && isSet(option));
      row.toggleAttribute("data-taken", taken);
      row.querySelector("[data-taken-tag]").hidden = !taken;
      row.querySelector("[data-key]").hidden = !option || taken;
      left += option && !taken ? 1 : 0;
    }
    const all = region.querySelector("[data-fill-all]");
    if (all) all.hidden = left < 2;
  };

  const take = (row) => {
    const option = fieldOf(row);
    if (!option || isSet(option)) return;
    const isOption = option instanceof HTMLOptionElement;
    option[isOption ? "selected" : "checked"] = true;
    option.closest("details")?.setAttribute("open", "");
    (isOption ? option.parentElement : option).dispatchEvent(new Event("change", { bubbles: true }));
    if (form.elements.propuesta) return;
    const told = document.createElement("input");
    Object.assign(told, { type: "hidden", name: "propuesta", value: "1" });
    form.append(told);
  };

  region.addEventListener("click", (event) => {
    const one = event.target.closest("[data-fills] [data-key]");
    const all = event.target.closest("[data-fill-all]");
    if (one) take(one.closest("[data-fills]"));
    if (all) rows().forEach(take);
    if (one || all) draw();
  });
  form.addEventListener("change", draw);
  form.addEventListener("htmx:afterSettle", draw);
  region.addEventListener("htmx:afterSettle", draw);
}
