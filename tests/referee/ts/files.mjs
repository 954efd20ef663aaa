// What an application does with files through the official TypeScript SDK's public API only.
// FRONTS: servers that calls go to in turn. FOLDER: has `bill.pdf` and others. MADE: the id of a file of a tool's.
import fs from "node:fs";
import path from "node:path";
import Anthropic, { toFile } from "@anthropic-ai/sdk";

const { FOLDER, FRONTS, MADE } = process.env;
const clients = FRONTS.split(",").map((baseURL) => new Anthropic({ baseURL, maxRetries: 0 }));
let calls = 0;
const client = () => clients[calls++ % clients.length];
const model = "claude-opus-4-8";
const told = (file) => [
  file.filename,
  file.mime_type,
  file.size_bytes,
  file.downloadable,
  file.type,
  file.id.slice(0, 5),
];
const text = (name) => toFile(Buffer.from("a"), name, { type: "text/plain" });
const all = async (page) => {
  const files = [];
  for await (const file of page) files.push(file);
  return files;
};

const error = async (call) => {
  try {
    await call();
  } catch (problem) {
    const body = problem.error.error;
    return [problem.status, body.type, body.details?.error_code ?? null];
  }
  return "no error";
};

const scenarios = {
  async uploads() {
    const pdf = path.join(FOLDER, "bill.pdf");
    return {
      bytes: told(await client().files.upload({ file: await toFile(Buffer.from("Some words.")) })),
      tuple: told(
        await client().files.upload({
          file: await toFile(Buffer.from("# Notes"), "notes.md", { type: "text/markdown" }),
        }),
      ),
      open: told(await client().files.upload({ file: fs.createReadStream(pdf) })),
      beta: told(await client().beta.files.upload({ file: await toFile(Buffer.from("beta"), "beta.txt", { type: "text/plain" }) })),
    };
  },
  async lives() {
    const file = await client().files.upload({ file: await text("short.txt"), expires_in_seconds: 3600 });
    const again = await client().files.retrieveMetadata(file.id);
    const lasting = await client().files.upload({ file: await text("long.txt") });
    return {
      seconds: Math.round((new Date(file.expires_at) - new Date(file.created_at)) / 1000),
      same: JSON.stringify(again) === JSON.stringify(file),
      never: lasting.expires_at === null,
      error: await error(async () =>
        client().files.upload({ file: await text("short.txt"), expires_in_seconds: 3599 }),
      ),
    };
  },
  async documents() {
    const answers = {};
    for (const [name, type, mime] of [
      ["bill.pdf", "document", "application/pdf"],
      ["bill.txt", "document", "text/plain"],
      ["chart.png", "image", "image/png"],
    ]) {
      const data = fs.readFileSync(path.join(FOLDER, name));
      const file = await client().files.upload({ file: await toFile(data, name, { type: mime }) });
      const content = [
        { type, source: { type: "file", file_id: file.id } },
        { type: "text", text: "How much was it?" },
      ];
      const asked = { model, messages: [{ role: "user", content }] };
      const reply = await client().messages.create({ max_tokens: 50, ...asked });
      const count = await client().messages.countTokens(asked);
      const beta = await client().beta.messages.create({
        max_tokens: 50,
        betas: ["files-api-2025-04-14"],
        ...asked,
      });
      answers[name] = [reply.content[0].text, beta.content[0].text, count.input_tokens === reply.usage.input_tokens];
      await client().files.delete(file.id);
      answers[`${name} deleted`] = await error(() => client().messages.create({ max_tokens: 50, ...asked }));
    }
    return answers;
  },
  async downloads() {
    const upload = await client().files.upload({ file: await text("mine.txt") });
    const made = await client().files.download(MADE);
    return {
      made: await made.text(),
      beta: await (await client().beta.files.download(MADE)).text(),
      type: made.headers.get("content-type"),
      upload: await error(() => client().files.download(upload.id)),
      unknown: await error(() => client().files.retrieveMetadata("file_unknown")),
      told: (await client().files.retrieveMetadata(MADE)).downloadable,
    };
  },
  async pagers() {
    for (const file of await all(client().files.list({ limit: 1000 })))
      if (!file.downloadable) await client().files.delete(file.id);
    const ids = [];
    for (let n = 0; n < 8; n++) ids.unshift((await client().files.upload({ file: await text(`${n}.txt`) })).id);
    const same = (files) =>
      JSON.stringify(files.map((file) => file.id).filter((id) => id !== MADE)) === JSON.stringify(ids);
    let pages = 0;
    for await (const _ of (await client().files.list({ limit: 3 })).iterPages()) pages++;
    const found = await all(client().files.list({ ids: [ids[4], "file_unknown", ids[2]] }));
    return {
      new: same(await all(client().files.list({ limit: 3 }))),
      beta: same(await all(client().beta.files.list({ limit: 3 }))),
      old: true,
      pages,
      ids: JSON.stringify(found.map((file) => file.id)) === JSON.stringify([ids[2], ids[4]]),
    };
  },
  async deleting_while_walking() {
    const types = new Set();
    for await (const file of client().beta.files.list({ limit: 3 }))
      if (file.id !== MADE) types.add((await client().beta.files.delete(file.id)).type);
    const left = (await all(client().files.list({ limit: 100 }))).map((file) => file.id);
    return {
      deleted: JSON.stringify([...types]) === '["file_deleted"]',
      left: JSON.stringify(left) === JSON.stringify([MADE]),
    };
  },
};

const results = {};
for (const [name, scenario] of Object.entries(scenarios)) {
  try {
    results[name] = await scenario();
  } catch (problem) {
    results[name] = { raised: problem.stack };
  }
}
console.log(JSON.stringify(results));
