// Scroll a wide drawing sideways to the place where one is, at once and when the section around it is opened.

export function centreHere(frame) {
  const here = frame.querySelector("[data-on]");
  if (!here) return;
  const centre = () => {
    const [place, window] = [here.getBoundingClientRect(), frame.getBoundingClientRect()];
    frame.scrollLeft += place.left + place.width / 2 - window.left - window.width / 2;
  };
  centre();
  frame.closest("details")?.addEventListener("toggle", centre, { once: true });
}
