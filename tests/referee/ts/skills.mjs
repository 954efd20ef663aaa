// What an application does with skills and the official TypeScript SDK, through its public API.
// Prints one JSON object, a key a scenario. FRONTS: servers that calls go to in turn. FOLDER: has `roman-numerals`.
import { createReadStream, readdirSync } from "node:fs";
import Anthropic, { toFile } from "@anthropic-ai/sdk";

const fronts = process.env.FRONTS.split(",").map((baseURL) => new Anthropic({ baseURL, maxRetries: 0 }));
let turn = 0;
const client = () => fronts[turn++ % fronts.length];
const folder = `${process.env.FOLDER}/roman-numerals`;
const files = () =>
  Promise.all(readdirSync(folder).map((name) => toFile(createReadStream(`${folder}/${name}`), `roman-numerals/${name}`)));
const failed = async (call) => {
  try {
    await call();
  } catch (error) {
    return [error.status, error.error.error.type];
  }
  return "no error";
};

const scenarios = {
  async lives() {
    const skill = await client().skills.create({ files: await files(), display_name: "Romans" });
    const second = await client().skills.versions.create(skill.id, { files: await files() });
    const versions = [];
    for await (const version of client().skills.versions.list(skill.id, { limit: 1 })) versions.push(version.id);
    const others = [];
    for (let n = 0; n < 2; n++) others.unshift((await client().skills.create({ files: await files() })).id);
    const listed = [];
    for await (const one of client().skills.list({ limit: 2 })) listed.push(one.id);
    const now = await client().skills.retrieve(skill.id);
    const deleted = [];
    for (const id of listed) deleted.push((await client().skills.delete(id)).type);
    return {
      title: now.display_name,
      newest: now.latest_version_id === second.id,
      versions: JSON.stringify(versions) === JSON.stringify([second.id, skill.latest_version_id]),
      listed: JSON.stringify(listed) === JSON.stringify([...others, skill.id]),
      deleted,
      after: await failed(() => client().skills.retrieve(skill.id)),
    };
  },
  async used() {
    const skill = await client().skills.create({ files: await files() });
    const message = await client()
      .messages.stream({
        model: "claude-opus-4-8",
        max_tokens: 1000,
        tools: [{ type: "code_execution_20250825", name: "code_execution" }],
        container: { skills: [{ type: "custom", skill_id: skill.id }] },
        messages: [{ role: "user", content: "What is 2026 in Roman numerals?" }],
      })
      .finalMessage();
    await client().skills.delete(skill.id);
    return {
      text: message.content.at(-1).text,
      echoed: message.container.skills.map((one) => [one.type, one.skill_id === skill.id, one.version === skill.latest_version_id]),
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
