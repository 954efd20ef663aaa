// Elements, made without markup: text is always text.

/** An element. `given`: properties and attributes; `on…` are listeners. Children: elements, texts, nothing. */
export function el(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (name in made && typeof value !== "string") made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return made;
}

/** The element with this id, which has to be there. */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no element has the id ${id}`);
  return found;
}

/** A table with a caption that only readers of screens hear. `rows`: of texts or elements. */
export function table(caption, heads, rows) {
  const cells = (row) => row.map((cell, at) => el(at === 0 ? "th" : "td", at === 0 ? { scope: "row" } : {}, cell));
  return el(
    "div",
    { class: "scrolls", tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      {},
      el("caption", { class: "unseen" }, caption),
      el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, rows.map((row) => el("tr", {}, cells(row)))),
    ),
  );
}

/** A button. */
export function button(label, onclick, given = {}) {
  return el("button", { type: "button", onclick, ...given }, label);
}

/** A size in bytes, as people say it, on one line. */
export function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let at = 0;
  while (bytes >= 1000 && at < units.length - 1) {
    bytes /= 1000;
    at += 1;
  }
  return `${at && bytes < 100 ? bytes.toFixed(1) : Math.round(bytes)}\u00a0${units[at]}`;
}

/** A number with its thousands apart. */
export function count(number) {
  return Math.round(number).toLocaleString("en");
}

/** A moment of the API, in the browser's own time. */
export function moment(text) {
  return text ? new Date(text).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" }) : "";
}
