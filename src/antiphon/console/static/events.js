// The event stream as it arrives: names, offsets, data. Of a long one the newest are kept.

import { byId, count, el } from "./dom.js";

const MOST = 400;
const MOST_TEXT = 2000;

/** The pane beside the conversation. */
export class EventPane {
  #list = byId("events");
  #says = byId("stream-says");
  #began = 0;
  #total = 0;

  /** A request is sent now. */
  begin() {
    this.#began = performance.now();
    this.#total = 0;
    this.#list.replaceChildren();
    this.#says.textContent = "Sent; nothing has arrived yet.";
  }

  /** An event has arrived. */
  add(name, data) {
    const after = (performance.now() - this.#began) / 1000;
    this.#total += 1;
    const text = data.length > MOST_TEXT ? `${data.slice(0, MOST_TEXT)}… (${count(data.length)} characters)` : data;
    const follows = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 40;
    this.#list.append(el("li", {}, el("span", { class: "offset" }, `+${after.toFixed(3)} s`), " ", el("b", {}, name), " ", el("code", {}, text)));
    while (this.#list.children.length > MOST) this.#list.firstElementChild.remove();
    if (follows) this.#list.scrollTop = this.#list.scrollHeight;
    this.#tell(after);
  }

  /** Say how it ended. */
  end(how) {
    this.#tell((performance.now() - this.#began) / 1000, `, ${how}`);
  }

  #tell(after, how = "") {
    const gone = this.#total - this.#list.children.length;
    const hidden = gone > 0 ? `; the first ${count(gone)} are not shown any more` : "";
    this.#says.textContent = `${count(this.#total)} ${this.#total === 1 ? "event" : "events"} in ${after.toFixed(2)} s${how}${hidden}`;
  }
}
