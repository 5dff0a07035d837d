// Make a textarea as tall as its text, up to half the window.

export function autosize(area) {
  if (CSS.supports("field-sizing", "content")) {
    area.classList.add("grows");
    return;
  }
  const fit = () => {
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight + 2, window.innerHeight / 2)}px`;
  };
  area.addEventListener("input", fit);
  fit();
}
