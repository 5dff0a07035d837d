// «/» at the beginning of an empty message opens this menu of standard answers.

export function slashOpens(menu) {
  const area = menu.closest("form")?.querySelector("textarea");
  area?.addEventListener("keydown", (event) => {
    if (event.key !== "/" || area.value.trim() || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    menu.open = true;
    menu.querySelector(".menu__list :is(a, button)")?.focus();
  });
}
