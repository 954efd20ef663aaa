// The metrics' text as values, and what happened between two readings of it.

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES = { "\\\\": "\\", '\\"': '"', "\\n": "\n" };

/** What was read at a moment, in seconds of any clock. */
export class Reading {
  #series = new Map();

  constructor(text, at) {
    this.at = at;
    for (const line of text.split("\n")) {
      const found = line.startsWith("#") ? null : LINE.exec(line);
      if (found === null) continue;
      const [, name, said, value] = found;
      const labels = {};
      for (const [, label, quoted] of (said ?? "").matchAll(LABEL)) {
        labels[label] = quoted.replaceAll(/\\./g, (each) => ESCAPES[each] ?? each);
      }
      if (!this.#series.has(name)) this.#series.set(name, []);
      this.#series.get(name).push({ labels, value: Number(value.replace("Inf", "Infinity")), id: said ?? "" });
    }
  }

  /** The series of a metric that have these labels. A label may be a function of its value. */
  series(name, wanted = {}) {
    const fits = ([label, value], labels) => (typeof value === "function" ? value(labels[label]) : labels[label] === value);
    return (this.#series.get(name) ?? []).filter(({ labels }) => Object.entries(wanted).every((each) => fits(each, labels)));
  }

  /** Their sum. */
  sum(name, wanted) {
    return this.series(name, wanted).reduce((sum, { value }) => sum + value, 0);
  }

  /** The least of them; null: there are none. */
  least(name, wanted) {
    const values = this.series(name, wanted).map(({ value }) => value);
    return values.length ? Math.min(...values) : null;
  }

  /** All that a label says. */
  valuesOf(label) {
    const said = [...this.#series.values()].flat().map(({ labels }) => labels[label]);
    return [...new Set(said.filter(Boolean))].sort();
  }
}

/** Nothing yet: what happened since then is what happened since the server's start. */
export const NOTHING = new Reading("", 0);

/** What happened from one reading to a later one. Counters that began anew count from zero. */
export class Between {
  constructor(before, after) {
    Object.assign(this, { before, after });
  }

  /** By how much counters grew. */
  more(name, wanted) {
    const old = new Map(this.before.series(name).map(({ id, value }) => [id, value]));
    return this.after.series(name, wanted).reduce((grown, { id, value }) => {
      const known = old.get(id) ?? 0;
      return grown + (value >= known ? value - known : value);
    }, 0);
  }

  /** By how much they grew in a second. */
  rate(name, wanted) {
    const seconds = this.after.at - this.before.at;
    return seconds > 0 ? this.more(name, wanted) / seconds : 0;
  }

  /** What a histogram saw on average; null: nothing. */
  mean(name, wanted) {
    const seen = this.more(`${name}_count`, wanted);
    return seen ? this.more(`${name}_sum`, wanted) / seen : null;
  }
}
