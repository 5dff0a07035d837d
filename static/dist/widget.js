(()=>{var g=`
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
}`;function E(n){let d=document.createElementNS("http://www.w3.org/2000/svg","svg");d.setAttribute("viewBox",n.box);for(let[c,s]of n.shapes){let a=d.appendChild(document.createElementNS(d.namespaceURI,c));for(let r in s)a.setAttribute(r,s[r])}return d}function w({data:n,src:d}){let c=n.idioma||document.documentElement.lang.slice(0,2),s=DESK_WIDGET.texts[c]?c:DESK_WIDGET.language,a=DESK_WIDGET.texts[s],r=new URL(d).origin,l=document.body.appendChild(document.createElement("div")).attachShadow({mode:"open"}),h=new CSSStyleSheet;h.replaceSync(g),l.adoptedStyleSheets=[h];let e=l.appendChild(document.createElement("button"));e.type="button",e.lang=s,e.setAttribute("aria-expanded","false");let x=e.appendChild(document.createElement("span"));x.setAttribute("aria-hidden","true"),x.append(E(DESK_WIDGET.face)),e.append(n.texto||a.help);let o=l.appendChild(document.createElement("section"));o.hidden=!0,o.setAttribute("role","dialog"),o.setAttribute("aria-label",a.name);let i;function b(){if(!i){let t=new URL(DESK_WIDGET.start,r);t.search=new URLSearchParams({language:s,theme:n.tema||"auto"}),i=document.createElement("iframe"),i.src=t,i.title=a.name,o.append(i)}o.hidden=!1,e.hidden=!0,e.setAttribute("aria-expanded","true"),i.focus()}function m(){o.hidden||(o.hidden=!0,e.hidden=!1,e.setAttribute("aria-expanded","false"),e.focus())}let u=document.querySelector(n.pie||"footer");function p(){let t=u?innerHeight-u.getBoundingClientRect().top:0;e.style.bottom=`${Math.max(0,Math.min(t,innerHeight-80))+20}px`}e.addEventListener("click",b),addEventListener("keydown",t=>t.key==="Escape"&&m()),addEventListener("message",t=>{t.origin===r&&t.source===i?.contentWindow&&t.data==="desk:close"&&m()}),addEventListener("scroll",p,{passive:!0}),addEventListener("resize",p),u&&new ResizeObserver(p).observe(document.documentElement),p()}var{dataset:v,src:S}=document.currentScript,f=()=>w({data:v,src:S});document.body?f():addEventListener("DOMContentLoaded",f);})();
