// An upload that tells how far it is, which `fetch` cannot.

import { headersOf, Problem, problemOf, urlOf } from "./api.js";

/** Send a file as a form. `progress`: is told a share from 0 to 1. Returns what the API says of it; raises `Problem`. */
export function upload(path, file, { progress, signal }) {
  const request = new XMLHttpRequest();
  const form = new FormData();
  form.append("file", file, file.name);
  return new Promise((resolve, reject) => {
    request.open("POST", urlOf(path));
    for (const [name, value] of Object.entries(headersOf())) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status < 300) resolve(JSON.parse(request.responseText));
      else reject(problemOf(request.status, request.responseText, request.getResponseHeader("request-id") ?? ""));
    });
    request.addEventListener("error", () => reject(new Problem(0, "connection_error", "The server cannot be reached, or has ended the upload.")));
    request.addEventListener("abort", () => reject(signal.reason));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}
