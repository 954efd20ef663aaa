// What an application does with batches through the official TypeScript SDK's public API only.
// Prints one JSON object, a key a scenario. FRONTS: servers over one store.

import Anthropic from "@anthropic-ai/sdk";

const FRONTS = process.env.FRONTS.split(",");
const PATIENCE = 60_000;

const client = (number = 0) => new Anthropic({ baseURL: FRONTS[number % FRONTS.length], maxRetries: 0 });
const row = (custom_id, content = "Hi", more = {}) => ({
  custom_id,
  params: { model: "claude-opus-4-8", max_tokens: 50, messages: [{ role: "user", content }], ...more },
});

async function wait(batches, id) {
  const until = Date.now() + PATIENCE;
  while (Date.now() < until) {
    const batch = await batches.retrieve(id);
    if (batch.processing_status === "ended") return batch;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error("it does not end");
}

async function collect(results) {
  const found = [];
  for await (const result of results) found.push(result);
  return found;
}

async function message(call) {
  try {
    await call();
    return null;
  } catch (error) {
    return error.error?.error?.message ?? error.constructor.name;
  }
}

const scenarios = {
  async round_trip() {
    const created = await client().messages.batches.create({
      requests: [row("one"), row("two"), row("bad", "Hi", { stream: true })],
    });
    const batches = client(1).messages.batches;
    const ended = await wait(batches, created.id);
    const results = await collect(await batches.results(created.id));
    const good = results.filter((one) => one.result.type === "succeeded");
    return {
      created: [created.type, created.processing_status, created.request_counts, created.results_url],
      keys: Object.keys(ended).filter((key) => !key.startsWith("_")).sort(),
      counts: ended.request_counts,
      url: ended.results_url.startsWith(FRONTS[1 % FRONTS.length]),
      ids: results.map((one) => one.custom_id).sort(),
      types: Object.fromEntries(results.map((one) => [one.custom_id, one.result.type])),
      texts: good.map((one) => one.result.message.content[0].text),
      tiers: good.map((one) => one.result.message.usage.service_tier),
      error: results.filter((one) => one.result.type === "errored").map((one) => one.result.error),
    };
  },
  async beta() {
    const batches = client().beta.messages.batches;
    const created = await batches.create({ requests: [row("one")], betas: ["output-300k-2026-03-24"] });
    await wait(batches, created.id);
    const found = (await collect(await batches.results(created.id))).map((one) => one.result.type);
    await batches.delete(created.id);
    return found;
  },
  async too_early() {
    const batches = client().messages.batches;
    const created = await batches.create({ requests: [row("one", "slow")] });
    const said = await message(() => batches.results(created.id));
    await batches.cancel(created.id);
    return said;
  },
  async pages() {
    const batches = client().messages.batches;
    const made = [];
    for (let number = 0; number < 7; number += 1) {
      made.unshift((await batches.create({ requests: [row("one")] })).id);
    }
    const newest = [];
    for await (const batch of client(1).messages.batches.list({ limit: 3 })) newest.push(batch.id);
    const before = [];
    for await (const batch of batches.list({ limit: 2, before_id: made[6] })) before.push(batch.id);
    return {
      newest: JSON.stringify(newest.slice(0, 7)) === JSON.stringify(made),
      before: JSON.stringify([...before].sort()) === JSON.stringify(made.slice(0, 6).sort()),
      first: JSON.stringify(before.slice(0, 2)) === JSON.stringify(made.slice(4, 6)),
    };
  },
  async cancel_and_delete() {
    const batches = client().messages.batches;
    const requests = Array.from({ length: 60 }, (_, number) => row(`id-${number}`, "slow"));
    const created = await batches.create({ requests });
    const refused = await message(() => batches.delete(created.id));
    const canceled = await client(1).messages.batches.cancel(created.id);
    const ended = await wait(batches, created.id);
    const results = await collect(await batches.results(created.id));
    const count = results.filter((one) => one.result.type === "canceled").length;
    const deleted = await batches.delete(created.id);
    const gone = await message(() => client(1).messages.batches.retrieve(created.id));
    return {
      refused,
      canceling: [canceled.processing_status, canceled.cancel_initiated_at !== null],
      sum: Object.values(ended.request_counts).reduce((sum, one) => sum + one, 0),
      canceled: count === ended.request_counts.canceled && count > 0,
      deleted: [deleted.type, deleted.id === created.id],
      gone: gone === `Message Batch ${created.id} not found.`,
    };
  },
};

const results = {};
for (const [name, scenario] of Object.entries(scenarios)) {
  try {
    results[name] = await scenario();
  } catch (error) {
    results[name] = { raised: String(error.stack ?? error) };
  }
}
console.log(JSON.stringify(results));
