// Pictures of the next message: chosen, pasted or dropped.

import { button, byId, el } from "./dom.js";

const KINDS = new Set(["image/jpeg", "image/png", "image/gif", "image/webp"]);

/** Those that wait to be sent. `told`: is told what could not be taken. */
export class Pictures {
  #waiting = [];
  #takes = true;

  constructor(told) {
    this.told = told;
    byId("picture").addEventListener("change", async (event) => {
      await this.#add([...event.target.files]);
      event.target.value = "";
    });
    const composer = byId("composer");
    byId("message").addEventListener("paste", (event) => {
      const files = [...event.clipboardData.files];
      if (files.length) event.preventDefault();
      this.#add(files);
    });
    composer.addEventListener("dragover", (event) => {
      event.preventDefault();
      composer.classList.add("over");
    });
    composer.addEventListener("dragleave", () => composer.classList.remove("over"));
    composer.addEventListener("drop", (event) => {
      event.preventDefault();
      composer.classList.remove("over");
      this.#add([...event.dataTransfer.files]);
    });
  }

  /** Whether the chosen model takes any. */
  set allowed(yes) {
    this.#takes = yes;
    byId("picture").disabled = !yes;
  }

  /** Their blocks. */
  get blocks() {
    return this.#waiting.map(({ block }) => block);
  }

  /** None, or these. */
  put(blocks = []) {
    this.#waiting = blocks.map((block) => ({ name: "picture", block }));
    this.#show();
  }

  async #add(files) {
    if (!files.length) return;
    if (!this.#takes) return this.told("This model takes no pictures.");
    const other = files.find((file) => !KINDS.has(file.type));
    if (other) return this.told(`${other.name || "This"} is no JPEG, PNG, GIF or WebP.`);
    this.told("");
    for (const file of files) {
      const data = (await read(file)).replace(/^[^,]*,/, "");
      this.#waiting.push({ name: file.name, block: { type: "image", source: { type: "base64", media_type: file.type, data } } });
    }
    this.#show();
  }

  #show() {
    const items = this.#waiting.map((each) => {
      const { media_type: kind, data } = each.block.source;
      const remove = button("Remove", () => {
        this.#waiting = this.#waiting.filter((other) => other !== each);
        this.#show();
        byId("message").focus();
      }, { "aria-label": `Remove ${each.name}` });
      return el("li", {}, el("img", { src: `data:${kind};base64,${data}`, alt: each.name }), remove);
    });
    byId("pictures").replaceChildren(...items);
  }
}

function read(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}
