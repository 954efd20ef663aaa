// The traffic view: charts of the last minutes, and what there was since the server's start.

import { Chart } from "./chart.js";
import { byId, count, table } from "./dom.js";
import { Between, NOTHING } from "./metrics.js";
import { current } from "./views.js";
import { MOST, wordsOf } from "./watch.js";

const SPAN = 300;
const FAILED = { status: (status) => Number(status) >= 400 };

const rate = (value) => (value >= 100 ? count(value) : value.toFixed(value >= 10 || value === 0 ? 0 : value >= 1 ? 1 : 2));
const seconds = (value) => (value >= 1 || value === 0 ? `${value.toFixed(value ? 1 : 0)} s` : `${Math.round(value * 1000)} ms`);

const CHARTS = [
  ["Requests a second", ["all"], rate, (seen) => [seen.rate("antiphon_requests_total")]],
  [
    "Tokens a second",
    ["in", "out"],
    rate,
    (seen) => [
      seen.rate("antiphon_tokens_total", { kind: (kind) => kind !== "output" }),
      seen.rate("antiphon_tokens_total", { kind: "output" }),
    ],
  ],
  ["Time to the first token", ["on average"], seconds, (seen) => [seen.mean("antiphon_time_to_first_token_seconds")]],
  [
    "Open requests",
    ["being answered", "waiting for an engine"],
    rate,
    ({ after }) => [after.sum("antiphon_requests_in_flight"), after.sum("antiphon_engine_waiting")],
  ],
  [
    "Errors a second",
    ["refused or failed", "broken off"],
    rate,
    (seen) => [seen.rate("antiphon_requests_total", FAILED), seen.rate("antiphon_replies_total", { end: "broken" })],
  ],
];

/** The view. */
export class Traffic {
  #watch;
  #charts = CHARTS.map(([title, lines, write, values]) => ({ chart: new Chart(title, lines, write), values }));

  constructor(watch) {
    this.#watch = watch;
    byId("charts").append(...this.#charts.map(({ chart }) => chart.element));
    byId("pause").addEventListener("click", () => {
      watch.pause(!watch.paused);
      byId("pause").setAttribute("aria-pressed", String(watch.paused));
    });
    watch.on(() => {
      if (current() === "traffic") this.open();
    });
  }

  /** Show what is known. */
  open() {
    const { readings, problem, paused, newest } = this.#watch;
    byId("traffic-failed").textContent = wordsOf(problem);
    byId("watch-says").textContent = paused ? "Paused." : problem ? "" : "Read every two seconds while this page is seen.";
    for (const { chart, values } of this.#charts) {
      const points = readings.slice(1).map((after, at) => ({
        ago: newest.at - after.at,
        values: values(new Between(readings[at], after)),
      }));
      chart.show(points.filter(({ ago }) => ago <= SPAN).slice(-MOST), SPAN);
    }
    byId("totals").replaceChildren(...(newest ? [totals(new Between(NOTHING, newest))] : []));
  }
}

function totals(seen) {
  const rows = seen.after.valuesOf("model").map((model) => {
    const tokens = (kind) => seen.more("antiphon_tokens_total", { model, kind });
    const read = tokens("input") + tokens("cache_read") + tokens("cache_creation");
    const time = (name) => {
      const mean = seen.mean(name, { model });
      return mean === null ? "–" : seconds(mean);
    };
    return [
      model,
      count(seen.more("antiphon_replies_total", { model })),
      count(read),
      count(tokens("output")),
      read ? `${Math.round((100 * tokens("cache_read")) / read)} %` : "–",
      time("antiphon_time_to_first_token_seconds"),
      time("antiphon_time_per_output_token_seconds"),
    ];
  });
  return table("Since the server's start", ["Model", "Replies", "Tokens in", "Tokens out", "From the cache", "First token", "Each token"], rows);
}
