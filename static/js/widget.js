// The widget: a button in the page of another site that opens the assistant in a frame (docs/widget.md). It is served at
// /widget.js, which puts DESK_WIDGET around it: where the frame begins, the face and the texts. Everything that it draws
// is in a shadow tree, so neither page restyles the other; the styles are set by script, which a CSP does not refuse.
const STYLE = `
:host { all: initial; }
button { position: fixed; right: 20px; z-index: 2147483000; display: inline-flex; align-items: center; gap: 10px;
  min-height: 48px; padding: 6px 18px 6px 7px; color: #f2f8f9; background: #00272f; border: 1px solid rgb(255 255 255 / .1);
  border-radius: 999px; box-shadow: 0 8px 28px rgb(0 24 30 / .28); font: 560 15px/1.3 system-ui, sans-serif; cursor: pointer; }
button:hover { background: #06353f; }
button:focus-visible { outline: 3px solid #8bd3e3; outline-offset: 2px; }
button[hidden], section[hidden] { display: none; }
span { display: grid; place-items: center; width: 36px; height: 36px; border-radius: 50%; background: rgb(255 255 255 / .1);
  color: #fb9344; }
svg { width: 24px; height: 24px; fill: currentColor; }
section { position: fixed; right: 16px; bottom: 16px; z-index: 2147483001; width: min(384px, calc(100vw - 32px));
  height: min(752px, calc(100vh - 72px)); border: 1px solid #c3d0d4; border-radius: 16px; overflow: hidden;
  box-shadow: 0 16px 48px rgb(0 24 30 / .3); background: #fff; }
iframe { display: block; width: 100%; height: 100%; border: 0; }
@media (max-width: 480px) {
  section { right: 8px; left: 8px; bottom: 8px; width: auto; height: min(768px, calc(100vh - 56px)); }
}`;
const GAP = 20; // px between the button and the edge of the window, or the footer

function face(symbol) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", symbol.box);
  for (const [name, attributes] of symbol.shapes) {
    const shape = svg.appendChild(document.createElementNS(svg.namespaceURI, name));
    for (const key in attributes) shape.setAttribute(key, attributes[key]);
  }
  return svg;
}

function widget({ data, src }) {
  const asked = data.idioma || document.documentElement.lang.slice(0, 2);
  const language = DESK_WIDGET.texts[asked] ? asked : DESK_WIDGET.language;
  const texts = DESK_WIDGET.texts[language];
  const desk = new URL(src).origin;
  const host = document.body.appendChild(document.createElement("div"));
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];

  const button = root.appendChild(document.createElement("button"));
  button.type = "button";
  button.lang = language;
  button.setAttribute("aria-expanded", "false");
  const icon = button.appendChild(document.createElement("span"));
  icon.setAttribute("aria-hidden", "true");
  icon.append(face(DESK_WIDGET.face));
  button.append(data.texto || texts.help);

  const panel = root.appendChild(document.createElement("section"));
  panel.hidden = true;
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-label", texts.name);
  let frame;

  function open() {
    if (!frame) {
      const start = new URL(DESK_WIDGET.start, desk);
      start.search = new URLSearchParams({ language, theme: data.tema || "auto" });
      frame = document.createElement("iframe");
      frame.src = start;
      frame.title = texts.name;
      panel.append(frame);
    }
    panel.hidden = false;
    button.hidden = true;
    button.setAttribute("aria-expanded", "true");
    frame.focus();
  }

  function close() {
    if (panel.hidden) return;
    panel.hidden = true;
    button.hidden = false;
    button.setAttribute("aria-expanded", "false");
    button.focus();
  }

  // The button stands above the page's footer and never on it.
  const footer = document.querySelector(data.pie || "footer");
  function place() {
    const shown = footer ? innerHeight - footer.getBoundingClientRect().top : 0;
    button.style.bottom = `${Math.max(0, Math.min(shown, innerHeight - 80)) + GAP}px`;
  }

  button.addEventListener("click", open);
  addEventListener("keydown", (event) => event.key === "Escape" && close());
  // The frame says that it wants to be closed and nothing else; whoever else says so is not listened to.
  addEventListener("message", (event) => {
    if (event.origin === desk && event.source === frame?.contentWindow && event.data === "desk:close")
      close();
  });
  addEventListener("scroll", place, { passive: true });
  addEventListener("resize", place);
  if (footer) new ResizeObserver(place).observe(document.documentElement);
  place();
}

const { dataset, src } = document.currentScript;
const begin = () => widget({ data: dataset, src });
if (document.body) begin();
else addEventListener("DOMContentLoaded", begin);
