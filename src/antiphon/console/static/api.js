// The way to the API: requests with the key that was typed, and errors in the API's words.

import { key } from "./keys.js";

const ROOT = new URL("../", import.meta.url);
const VERSION = "2023-06-01";
const listeners = new Set();

/** What the server answers instead, or that it does not answer. `status`: 0 where nothing came. */
export class Problem extends Error {
  constructor(status, type, message, requestId = "") {
    super(message);
    Object.assign(this, { status, type, requestId });
  }

  /** In one line, with what an owner finds it by. */
  get line() {
    const head = this.status ? `${this.status} ${this.type}` : this.type;
    return `${head}: ${this.message}${this.requestId ? ` (${this.requestId})` : ""}`;
  }
}

/** Call this whenever the API wants a key, or another one. */
export function onRefused(listener) {
  listeners.add(listener);
}

/** Where a path of the API is. */
export function urlOf(path) {
  return new URL(path.replace(/^\//, ""), ROOT);
}

/** The fields that go with every request. `which`: the key that is shown. */
export function headersOf(which = "api") {
  const shown = key(which) || key("api");
  return { "anthropic-version": VERSION, ...(shown && { "x-api-key": shown }) };
}

/** A reply that is none of an error; raises `Problem`. `json`: the body. `takes`: a status that is none either. */
export async function ask(method, path, { json, headers = {}, signal, which, takes } = {}) {
  const said = { ...headersOf(which), ...headers, ...(json !== undefined && { "content-type": "application/json" }) };
  let reply;
  try {
    const body = json === undefined ? undefined : JSON.stringify(json);
    reply = await fetch(urlOf(path), { method, headers: said, body, signal, credentials: "omit", cache: "no-store" });
  } catch (problem) {
    if (signal?.aborted) throw problem;
    throw new Problem(0, "connection_error", "The server cannot be reached.");
  }
  if (reply.ok || reply.status === takes) return reply;
  const problem = problemOf(reply.status, await reply.text(), reply.headers.get("request-id") ?? "");
  if (reply.status === 401 && which === undefined) for (const listener of listeners) listener();
  throw problem;
}

/** The JSON of such a reply. */
export async function askJson(method, path, given = {}) {
  return (await ask(method, path, given)).json();
}

/** What an error's body says. */
export function problemOf(status, text, requestId) {
  try {
    const { error, request_id: id } = JSON.parse(text);
    return new Problem(status, error.type, error.message, id ?? requestId);
  } catch {
    return new Problem(status, "error", text.slice(0, 500) || "The server says nothing of it.", requestId);
  }
}

/** Let the browser save what a path answers. It is asked for here, since a link would show no key. */
export async function save(path, name) {
  saveBlob(await (await ask("GET", path)).blob(), name);
}

/** Let the browser save this. */
export function saveBlob(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
