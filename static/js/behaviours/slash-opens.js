// Open this menu of standard answers when «/» is typed into an empty message.

export function slashOpens(menu) {
  const area = menu.closest("form")?.querySelector("textarea");
  area?.addEventListener("keydown", (event) => {
    if (
      !menu.isConnected ||
      event.key !== "/" ||
      area.value.trim() ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey
    )
      return;
    event.preventDefault();
    menu.open = true;
    menu.querySelector(".menu__list :is(a, button)")?.focus();
  });
}
