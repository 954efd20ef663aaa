// Reads the metrics every two seconds, as long as somebody can see the page, and tells who wants to know.

import { ask } from "./api.js";
import { onKeys } from "./keys.js";
import { Reading } from "./metrics.js";

const PAUSE = 2000;
/** How many readings are remembered: five minutes of them. */
export const MOST = 150;

/** The one who reads. `readings`: what was read, the newest last; `problem`: why nothing is read now. */
export class Watch {
  readings = [];
  problem = null;
  paused = false;
  #listeners = new Set();
  #timer = null;

  constructor() {
    onKeys(() => {
      this.problem = null;
      this.#look();
    });
    document.addEventListener("visibilitychange", () => this.#look());
  }

  /** Begin. */
  start() {
    this.#look();
  }

  /** Call this after each look. */
  on(listener) {
    this.#listeners.add(listener);
  }

  /** Whether to look no more for now. */
  pause(yes) {
    this.paused = yes;
    this.#look();
  }

  /** The newest reading; null: there is none. */
  get newest() {
    return this.readings.at(-1) ?? null;
  }

  async #look() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.paused || document.hidden) return this.#tell();
    try {
      const reply = await ask("GET", "/metrics", { which: "metrics" });
      this.readings.push(new Reading(await reply.text(), performance.now() / 1000));
      this.readings.splice(0, this.readings.length - MOST);
      this.problem = null;
    } catch (problem) {
      this.problem = problem;
    }
    this.#tell();
    // Who was refused is not asked again before there is another key.
    const refused = [401, 403, 404].includes(this.problem?.status);
    clearTimeout(this.#timer);
    if (!refused && !this.paused && !document.hidden) this.#timer = setTimeout(() => this.#look(), PAUSE);
  }

  #tell() {
    for (const listener of this.#listeners) listener(this);
  }
}

/** What to say of a problem with the metrics. */
export function wordsOf(problem) {
  if (problem === null) return "";
  const hint = [401, 403].includes(problem.status) ? " The metrics want a key of metrics_keys, or an admin key: see “Keys”." : "";
  return `The metrics cannot be read: ${problem.line ?? problem.message}${hint}`;
}
