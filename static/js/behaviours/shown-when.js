// A question that only comes up for some answers: data-shown-when='{"name": ["value", …]}', all of which must hold.
// Without script it stays in sight; the server drops the answers that nobody asked for.

export function shownWhen(box) {
  const form = box.closest("form");
  const conditions = Object.entries(JSON.parse(box.dataset.shownWhen));
  const apply = () => {
    const given = new FormData(form);
    box.hidden = !conditions.every(([name, values]) =>
      given.getAll(name).some((value) => values.includes(value)),
    );
  };
  form.addEventListener("change", apply);
  apply();
}
