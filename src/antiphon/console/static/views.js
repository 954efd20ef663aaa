// Which view is seen: the one that the address names.

import { byId } from "./dom.js";

const views = new Map();
let shown = null;

/** A view by its name. `open` is called when it comes to be seen, `close` when it no longer is. */
export function view(name, { open, close } = {}) {
  views.set(name, { open, close });
}

/** The name of the view that is seen. */
export function current() {
  return shown;
}

/** Follow the address, from now on. */
export function startViews(first) {
  const follow = (moved) => {
    const named = location.hash.slice(1);
    // Another fragment leads to a place within the view.
    if (named && !views.has(named)) return;
    show(named || first, moved);
  };
  window.addEventListener("hashchange", () => follow(true));
  follow(false);
  if (shown === null) show(first, false);
}

function show(name, moved) {
  if (name === shown) return;
  const before = views.get(shown);
  shown = name;
  before?.close?.();
  for (const each of views.keys()) byId(`view-${each}`).hidden = each !== name;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const title = byId(`title-${name}`);
  document.title = `${title.textContent} · Antiphon`;
  if (moved) title.focus({ preventScroll: true });
  views.get(name).open?.();
}
