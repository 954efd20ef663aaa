// One chart: lines over the last minutes as SVG, in words for readers of screens, and as a table.

import { el, table } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 600;
const HEIGHT = 160;
const LEFT = 52;
const TOP = 10;
const BOTTOM = 18;
const ROWS = 10;

/** A chart of some lines. `lines`: their names; `write`: a value in words. */
export class Chart {
  constructor(title, lines, write) {
    Object.assign(this, { title, lines, write });
    this.svg = svg("svg", { role: "img" });
    const legend = lines.map((name, at) => el("li", { class: `line${at}` }, name, " ", el("b", {}, "–")));
    this.values = legend.map((item) => item.querySelector("b"));
    this.fold = el("details", {}, el("summary", {}, "As a table"));
    this.element = el("figure", { class: "panel" }, el("figcaption", {}, title), el("ul", { class: "lines" }, legend), this.svg, this.fold);
    this.fold.addEventListener("toggle", () => this.#table());
    this.points = [];
  }

  /** Show these points: `{ ago, values }`, the newest last, `ago` in seconds. A value may be null. */
  show(points, span) {
    this.points = points;
    const all = points.flatMap(({ values }) => values).filter((value) => value !== null);
    const top = ceiling(Math.max(0, ...all));
    // As wide as it is seen, so that its words have the size of others.
    const width = this.svg.clientWidth || WIDTH;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const x = (ago) => LEFT + (width - LEFT - 4) * (1 - ago / span);
    const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
    const marks = [0, top / 2, top].flatMap((value) => [
      svg("line", { class: "grid", x1: LEFT, x2: width - 4, y1: y(value), y2: y(value) }),
      svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, this.write(value)),
    ]);
    const minutes = Math.round(span / 60);
    marks.push(svg("text", { x: LEFT, y: HEIGHT - 4 }, `${minutes} min ago`), svg("text", { x: width - 4, y: HEIGHT - 4, "text-anchor": "end" }, "now"));
    const drawn = this.lines.flatMap((_, at) => lineOf(points, at, x, y));
    this.svg.replaceChildren(...marks, ...drawn);
    this.#tell(all);
    this.#table();
  }

  #tell(all) {
    const now = this.points.at(-1)?.values ?? this.lines.map(() => null);
    now.forEach((value, at) => {
      this.values[at].textContent = value === null ? "–" : this.write(value);
    });
    const said = this.lines.map((name, at) => `${name} ${now[at] === null ? "unknown" : this.write(now[at])}`);
    const most = all.length ? `, at most ${this.write(Math.max(...all))}` : "";
    this.svg.setAttribute("aria-label", `${this.title}: now ${said.join(", ")}${most}.`);
  }

  #table() {
    if (!this.fold.open) return;
    const rows = this.points.slice(-ROWS).toReversed().map(({ ago, values }) => [
      `${Math.round(ago)} s ago`,
      ...values.map((value) => (value === null ? "–" : this.write(value))),
    ]);
    this.fold.querySelector(".scrolls")?.remove();
    this.fold.append(table(this.title, ["When", ...this.lines], rows));
  }
}

/** A line with gaps where nothing is known; beside a gap a value is a dot, too. */
function lineOf(points, at, x, y) {
  const known = (number) => (points[number]?.values[at] ?? null) !== null;
  const dots = [];
  let path = "";
  points.forEach(({ ago, values }, number) => {
    if (!known(number)) return;
    const [left, top] = [x(ago).toFixed(1), y(values[at]).toFixed(1)];
    path += `${known(number - 1) ? "L" : "M"}${left} ${top}`;
    if (!known(number - 1) || !known(number + 1)) dots.push(svg("circle", { class: `line${at}`, cx: left, cy: top, r: 3 }));
  });
  return [svg("path", { class: `line line${at}`, d: path }), ...dots];
}

/** The next round number. */
function ceiling(value) {
  if (value <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  return unit * [1, 2, 5, 10].find((times) => times * unit >= value * 0.999);
}

function svg(tag, given, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(given)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
