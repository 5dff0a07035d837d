// Open this menu of standard answers when «/» is typed into an empty message. What is typed next filters its list: no
// letter of it reaches the shortcuts. Enter takes the first one left, and Esc leads back to the message.
// Without script, the field that filters stays hidden.

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

export function slashOpens(menu) {
  const area = menu.closest("form")?.querySelector("textarea");
  const field = menu.querySelector("[data-filter]");
  if (!area || !field) return;
  const items = [...menu.querySelectorAll(".menu__list :is(a, button)")];
  const left = () => items.filter((item) => !item.hidden);

  const filter = () => {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    for (const item of items) item.hidden = !words.every((word) => plain(item.textContent).includes(word));
    menu.querySelector("[data-none]").hidden = left().length > 0;
  };
  const leave = () => {
    menu.open = false;
    area.focus();
  };

  area.addEventListener("keydown", (event) => {
    if (!menu.isConnected || event.key !== "/" || area.value.trim() || isCombined(event)) return;
    event.preventDefault();
    menu.open = true;
    field.hidden = false;
    field.focus();
  });

  menu.addEventListener("toggle", () => {
    field.hidden = !menu.open;
    if (menu.open) return;
    field.value = "";
    filter();
  });

  field.addEventListener("input", (event) => {
    event.stopPropagation(); // it is no word of the message: nothing is saved or announced
    filter();
  });

  const onKey = (event) => {
    if (!menu.open || event.isComposing) return;
    const isInField = event.target === field;
    if (event.key === "Escape" || (event.key === "Backspace" && isInField && !field.value)) {
      event.preventDefault();
      event.stopImmediatePropagation(); // the menu itself would give the focus to its button
      leave();
    } else if (event.key === "Enter" && isInField) {
      event.preventDefault();
      left()[0]?.click();
    } else if (event.key.length === 1 && event.key !== " " && !isInField && !isCombined(event)) {
      field.focus(); // the letter goes there
      event.stopPropagation();
    }
  };
  menu.addEventListener("keydown", onKey, true);
}

function isCombined(event) {
  return event.ctrlKey || event.metaKey || event.altKey;
}
