// What an application does with code execution and the official TypeScript SDK, through its public API.
// Prints one JSON object, a key a scenario.
import Anthropic, { toFile } from "@anthropic-ai/sdk";

const client = new Anthropic();
const request = {
  model: "claude-opus-4-8",
  max_tokens: 1000,
  tools: [{ type: "code_execution_20250825", name: "code_execution" }],
};
const asked = (content, more = {}) => ({ ...request, messages: [{ role: "user", content }], ...more });
const result = (message) => message.content.find((block) => block.type === "bash_code_execution_tool_result").content;
const kinds = (message) => message.content.map((block) => block.type);

const scenarios = {
  async carried() {
    const file = await client.files.upload({ file: await toFile(Buffer.from("a\nb\n"), "data.csv", { type: "text/csv" }) });
    const content = [
      { type: "text", text: "Count the lines." },
      { type: "container_upload", file_id: file.id },
    ];
    const first = await client.messages.stream(asked(content)).finalMessage();
    const [made] = result(first).content;
    const again = await client.messages.create(asked("What was mine?", { container: first.container.id }));
    const fresh = await client.messages.create(asked("What was mine?"));
    return {
      kinds: kinds(first),
      stdout: result(first).stdout,
      expires: new Date(first.container.expires_at) > new Date(),
      made: await (await client.files.download(made.file_id)).text(),
      kept: result(again).stdout,
      same: again.container.id === first.container.id,
      fresh: result(fresh).stdout,
      other: fresh.container.id !== first.container.id,
    };
  },

  async called() {
    const amounts = { west: "1", east: "2", north: "9", south: "18" };
    const sales = {
      name: "sales",
      description: "The sales of a region.",
      input_schema: { type: "object", properties: { region: { type: "string" } }, required: ["region"] },
      allowed_callers: ["code_execution_20260120"],
    };
    const tools = [{ type: "code_execution_20260120", name: "code_execution" }, sales];
    const messages = [{ role: "user", content: "Sum the regions." }];
    const replies = [];
    const calls = [];
    while (replies.at(-1)?.stop_reason !== "end_turn" && replies.length < 8) {
      const container = replies.at(-1)?.container.id;
      const reply = await client.messages.stream({ ...request, tools, messages, container }).finalMessage();
      replies.push(reply);
      const made = reply.content.filter((block) => block.type === "tool_use");
      calls.push(...made);
      messages.push({ role: "assistant", content: reply.content });
      messages.push({
        role: "user",
        content: made.map((call) => ({ type: "tool_result", tool_use_id: call.id, content: amounts[call.input.region] })),
      });
    }
    return {
      kinds: replies.map((reply) => kinds(reply).join()),
      regions: calls.map((call) => call.input.region),
      own: calls.every((call) => call.caller.tool_id === replies[0].content[0].id),
      stdout: replies.at(-1).content[0].content.stdout,
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
