// The cache view: what prompts found in it, and what it keeps.

import { byId, count, el, size, table } from "./dom.js";
import { Between, NOTHING } from "./metrics.js";
import { health } from "./models.js";
import { current } from "./views.js";
import { wordsOf } from "./watch.js";

/** The view. */
export class Cache {
  #watch;
  #kept = {};

  constructor(watch) {
    this.#watch = watch;
    watch.on(() => {
      if (current() === "cache") this.#show();
    });
  }

  /** Show what is known. */
  async open() {
    this.#show();
    try {
      this.#kept = (await health()).prompt_cache ?? {};
    } catch {
      this.#kept = {};
    }
    this.#show();
  }

  #show() {
    const { newest, problem } = this.#watch;
    byId("cache-failed").textContent = wordsOf(problem);
    if (newest === null) return;
    const asked = modelsOf(newest, "antiphon_tokens_total");
    const served = modelsOf(newest, "antiphon_engine_up");
    const found = table("Prompts with marks", ["Model", "Hits", "Misses", "Tokens read", "Tokens written", "Share of all input"], asked.map((model) => promptsOf(model, new Between(NOTHING, newest))));
    const kept = table("What is kept", ["Model", "In memory", "In files", "Prefixes", "Found in place", "Restored", "Read anew", "Given up"], served.map((model) => this.#keptOf(model, newest)));
    const why = Object.entries(this.#kept).filter(([, { why: reason }]) => reason).map(([model, { why: reason }]) => el("p", {}, `${model}: ${reason}`));
    byId("cached").replaceChildren(el("h3", {}, "Prompts with marks"), found, el("h3", {}, "What is kept"), kept, ...why);
  }

  #keptOf(model, newest) {
    const where = (place) => {
      const bytes = newest.series("antiphon_prompt_cache_bytes", { model, where: place });
      return bytes.length ? size(newest.sum("antiphon_prompt_cache_bytes", { model, where: place })) : "–";
    };
    const kept = this.#kept[model] ?? {};
    const told = [kept.prefixes, kept.in_place, kept.restored, kept.missed, kept.evicted];
    return [model, where("memory"), where("files"), ...told.map((each) => (each === undefined ? "–" : count(each)))];
  }
}

/** A request's name for a model is one thing, what answers it another. */
function modelsOf(reading, name) {
  return [...new Set(reading.series(name).map(({ labels }) => labels.model))].sort();
}

function promptsOf(model, seen) {
  const prompts = (result) => count(seen.more("antiphon_prompt_cache_prompts_total", { model, result }));
  const tokens = (kind) => seen.more("antiphon_tokens_total", { model, kind });
  const [read, written] = [tokens("cache_read"), tokens("cache_creation")];
  const all = tokens("input") + read + written;
  const share = all ? `${Math.round((100 * read) / all)} %` : "–";
  return [model, prompts("hit"), prompts("miss"), count(read), count(written), share];
}
