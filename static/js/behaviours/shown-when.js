// Show a question only for some answers to others: data-shown-when='{"name": ["value", …]}', where every name must have
// one of its values; an unticked checkbox has the value "". Without script it is always shown; the server drops answers
// to questions that were not asked.

export function shownWhen(box) {
  const form = box.closest("form");
  const conditions = Object.entries(JSON.parse(box.dataset.shownWhen));
  const apply = () => {
    const given = new FormData(form);
    box.hidden = !conditions.every(([name, values]) => {
      const answers = given.getAll(name);
      return (answers.length ? answers : [""]).some((value) => values.includes(value));
    });
  };
  form.addEventListener("change", apply);
  apply();
}
