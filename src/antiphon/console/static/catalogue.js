// The names that requests may use, asked for once for all views, and again with other keys.

import { askJson } from "./api.js";
import { onKeys } from "./keys.js";

let asked = null;

onKeys(() => {
  asked = null;
});

/** The models of the list, newest first. Raises `Problem`. */
export function models() {
  asked ??= walk().catch((problem) => {
    asked = null;
    throw problem;
  });
  return asked;
}

async function walk() {
  const found = [];
  let after = "";
  for (;;) {
    const page = await askJson("GET", `/v1/models?limit=1000${after}`);
    found.push(...page.data);
    if (!page.has_more) return found;
    after = `&after_id=${encodeURIComponent(page.last_id)}`;
  }
}
