// The batches view: how far they are, their results, and their end.

import { ask, askJson, saveBlob } from "./api.js";
import { blockOf } from "./blocks.js";
import { sure } from "./dialogs.js";
import { button, byId, count, el, moment, table } from "./dom.js";
import { onKeys } from "./keys.js";
import { current } from "./views.js";

const PATH = "/v1/messages/batches";
const PAUSE = 2000;
const ENDS = ["succeeded", "errored", "canceled", "expired"];
const SHOWN = 50;

/** The view. */
export class Batches {
  #cards = new Map();
  #timer = null;
  #last = null;

  constructor() {
    byId("batches-again").addEventListener("click", () => this.open());
    byId("batches-more").addEventListener("click", () => this.#page(this.#last));
    onKeys(() => {
      if (current() === "batches") this.open();
    });
  }

  /** Show the newest of them; those that run are asked again while they are seen. */
  async open() {
    this.close();
    this.#cards.clear();
    byId("batch-list").replaceChildren();
    byId("batch-results").replaceChildren();
    byId("batches-said").textContent = "";
    await this.#page(null);
  }

  /** Ask no more. */
  close() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #page(after) {
    await this.#try(async () => {
      const page = await askJson("GET", `${PATH}?limit=20${after ? `&after_id=${encodeURIComponent(after)}` : ""}`);
      for (const batch of page.data) this.#put(batch);
      this.#last = page.last_id;
      byId("batches-more").hidden = !page.has_more;
      if (!this.#cards.size) byId("batches-said").textContent = "There are no batches of this key.";
      await this.#look();
    });
  }

  /** Ask for those that run how far they are, now and until they have ended. */
  async #look() {
    this.close();
    const running = [...this.#cards.values()].filter(({ batch }) => batch.processing_status !== "ended");
    await this.#try(async () => {
      for (const { batch } of running) {
        const reply = await ask("GET", `${PATH}/${batch.id}`);
        this.#put(await reply.json(), reply.headers.get("antiphon-batch-counts"));
      }
    });
    if (running.length && current() === "batches") this.#timer = setTimeout(() => this.#look(), PAUSE);
  }

  #put(batch, progress = null) {
    const known = this.#cards.get(batch.id);
    const told = JSON.stringify([batch, progress]);
    if (known?.told === told) return;
    // What has the focus is not taken away where nothing else is to be offered.
    if (known && known.batch.processing_status === batch.processing_status) {
      known.bar.replaceWith((known.bar = barOf(batch, progress)));
      Object.assign(known, { batch, told });
      return;
    }
    const bar = barOf(batch, progress);
    const card = el("li", { class: "panel" }, el("h3", {}, el("code", {}, batch.id)), el("p", {}, linesOf(batch)), bar, el("div", { class: "buttons" }, this.#buttons(batch)));
    if (known) known.card.replaceWith(card);
    else byId("batch-list").append(card);
    this.#cards.set(batch.id, { card, bar, batch, told });
  }

  #buttons(batch) {
    const named = (what) => ({ "aria-label": `${what} ${batch.id}` });
    if (batch.processing_status === "in_progress") return [button("Cancel", () => this.#cancel(batch), named("Cancel"))];
    if (batch.processing_status !== "ended") return [];
    const results = batch.results_url
      ? [button("Show results", () => this.#results(batch), named("Show results of")), button("Save results", () => this.#save(batch), named("Save results of"))]
      : [];
    return [...results, button("Delete", () => this.#delete(batch), named("Delete"))];
  }

  async #cancel(batch) {
    if (!(await sure("Cancel this batch?", `What of ${batch.id} has not begun will not be answered.`, "Cancel the batch"))) return;
    await this.#try(async () => {
      this.#put(await askJson("POST", `${PATH}/${batch.id}/cancel`));
      byId("batches-said").textContent = `${batch.id} is being canceled.`;
      await this.#look();
    });
  }

  async #delete(batch) {
    if (!(await sure("Delete this batch?", `${batch.id} and its results are gone then.`, "Delete the batch"))) return;
    await this.#try(async () => {
      await ask("DELETE", `${PATH}/${batch.id}`);
      this.#cards.get(batch.id).card.remove();
      this.#cards.delete(batch.id);
      byId("batch-results").replaceChildren();
      byId("batches-said").textContent = `${batch.id} is deleted.`;
    });
  }

  async #save(batch) {
    await this.#try(async () => saveBlob(await (await ask("GET", `${PATH}/${batch.id}/results`)).blob(), `${batch.id}.jsonl`));
  }

  async #results(batch) {
    await this.#try(async () => {
      const text = await (await ask("GET", `${PATH}/${batch.id}/results`)).text();
      const lines = text.split("\n").filter(Boolean);
      const rows = lines.slice(0, SHOWN).map((line) => {
        const { custom_id: id, result } = JSON.parse(line);
        return [el("code", {}, id), result.type, el("div", {}, contentOf(result))];
      });
      const title = el("h3", { tabindex: "-1" }, `Results of ${batch.id}`);
      const more = lines.length > SHOWN ? [el("p", {}, `These are the first ${SHOWN} of ${count(lines.length)}; the file has all of them.`)] : [];
      byId("batch-results").replaceChildren(title, table("Results", ["Request", "Result", "Content"], rows), ...more);
      title.focus();
    });
  }

  async #try(work) {
    try {
      await work();
      byId("batches-failed").textContent = "";
    } catch (problem) {
      byId("batches-failed").textContent = problem.line ?? problem.message;
    }
  }
}

function contentOf({ message, error }) {
  if (message) return message.content.map(blockOf);
  return error ? [`${error.error.type}: ${error.error.message}`] : [];
}

function linesOf(batch) {
  const ended = batch.ended_at ? `, ended ${moment(batch.ended_at)}` : "";
  return `${batch.processing_status.replace("_", " ")}, created ${moment(batch.created_at)}${ended}`;
}

/** How far it is. Until it has ended, only the header of a reply tells. */
function barOf(batch, progress) {
  const counts = { ...batch.request_counts };
  let total = Object.values(counts).reduce((sum, each) => sum + each, 0);
  if (progress) {
    const said = Object.fromEntries(progress.split(",").map((each) => each.trim().split("=")));
    total = Number(said.total);
    for (const end of ENDS) counts[end] = Number(said[end] ?? 0);
  }
  const done = ENDS.reduce((sum, end) => sum + counts[end], 0);
  const words = ENDS.filter((end) => counts[end]).map((end) => `${count(counts[end])} ${end}`);
  const text = `${count(done)} of ${count(total)}${words.length ? `: ${words.join(", ")}` : ""}`;
  return el("div", { class: "bar" }, el("progress", { max: Math.max(1, total), value: done, "aria-label": `Progress of ${batch.id}` }), el("span", {}, text));
}
