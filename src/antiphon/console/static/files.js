// The files view: what is kept, uploads with their progress, downloads and deletions.

import { ask, askJson, save } from "./api.js";
import { sure } from "./dialogs.js";
import { button, byId, el, moment, size, table } from "./dom.js";
import { onKeys } from "./keys.js";
import { upload } from "./upload.js";
import { current } from "./views.js";

const PATH = "/v1/files";

/** The view. */
export class Files {
  #files = [];
  #next = null;
  #uploading = null;

  constructor() {
    byId("files-more").addEventListener("click", () => this.#try(() => this.#page()));
    byId("upload-stop").addEventListener("click", () => this.#uploading?.abort());
    byId("upload").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#upload();
    });
    onKeys(() => {
      if (current() === "files") this.open();
    });
  }

  /** Show the newest of them. */
  async open() {
    this.#files = [];
    this.#next = null;
    await this.#try(() => this.#page());
  }

  async #page() {
    const page = await askJson("GET", `${PATH}?limit=50${this.#next ? `&page=${encodeURIComponent(this.#next)}` : ""}`);
    this.#files.push(...page.data);
    this.#next = page.next_page;
    this.#show();
  }

  #show() {
    const rows = this.#files.map((file) => [
      file.filename,
      el("code", {}, file.id),
      file.mime_type,
      size(file.size_bytes),
      moment(file.created_at),
      moment(file.expires_at) || "never",
      el("div", { class: "buttons" }, this.#buttons(file)),
    ]);
    const none = el("p", {}, "There are no files of this key.");
    byId("file-list").replaceChildren(rows.length ? table("Files that are kept", ["Name", "Id", "Kind", "Size", "Created", "Expires", "What to do"], rows) : none);
    byId("files-more").hidden = this.#next === null;
  }

  #buttons(file) {
    const get = file.downloadable
      ? [button("Save", () => this.#try(() => save(`${PATH}/${file.id}/content`, file.filename)), { "aria-label": `Save ${file.filename}` })]
      : [];
    return [...get, button("Delete", () => this.#delete(file), { "aria-label": `Delete ${file.filename}` })];
  }

  async #delete(file) {
    if (!(await sure("Delete this file?", `Requests that name ${file.filename} (${file.id}) will be refused then.`, "Delete the file"))) return;
    await this.#try(async () => {
      await ask("DELETE", `${PATH}/${file.id}`);
      this.#files = this.#files.filter(({ id }) => id !== file.id);
      this.#show();
      byId("files-said").textContent = `${file.filename} is deleted.`;
    });
  }

  async #upload() {
    const [file] = byId("upload-file").files;
    if (!file) return byId("upload-file").focus();
    const bar = byId("upload-progress");
    const progress = (share) => {
      bar.value = share;
      byId("files-said").textContent = `${file.name}: ${Math.round(100 * share)} % of ${size(file.size)} sent.`;
    };
    this.#uploading = new AbortController();
    byId("upload-stop").disabled = false;
    bar.hidden = false;
    progress(0);
    await this.#try(async () => {
      await upload(PATH, file, { progress, signal: this.#uploading.signal });
      await this.open();
      byId("upload").reset();
      byId("files-said").textContent = `${file.name} is uploaded.`;
    });
    if (this.#uploading.signal.aborted) byId("files-said").textContent = "The upload was stopped; nothing of it is kept.";
    bar.hidden = true;
    byId("upload-stop").disabled = true;
    this.#uploading = null;
  }

  async #try(work) {
    try {
      await work();
      byId("files-failed").textContent = "";
    } catch (problem) {
      byId("files-failed").textContent = problem.name === "AbortError" ? "" : (problem.line ?? problem.message);
    }
  }
}
