// What an application does with tools that run in the server and the official TypeScript SDK, through its public API.
// Prints one JSON object, a key a scenario.
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic();
const request = {
  model: "claude-opus-4-8",
  max_tokens: 1000,
  tools: [
    { type: "web_search_20250305", name: "web_search", max_uses: 5 },
    { type: "web_fetch_20250910", name: "web_fetch", citations: { enabled: true } },
  ],
  messages: [{ role: "user", content: "What is new about quantum computers?" }],
};

// The blocks without what chance made of them.
const plain = (content) =>
  content.map((block) => {
    const { id, tool_use_id, ...said } = JSON.parse(JSON.stringify(block));
    for (const found of Array.isArray(said.content) ? said.content : []) delete found.encrypted_content;
    for (const citation of said.citations ?? []) delete citation.encrypted_index;
    return said;
  });
const told = (message) => ({ content: plain(message.content), stop_reason: message.stop_reason, usage: message.usage });

const scenarios = {
  async replies() {
    const whole = await client.messages.create(request);
    const seen = { text: "", citations: 0 };
    const stream = client.messages.stream(request);
    stream.on("text", (piece) => (seen.text += piece));
    stream.on("citation", () => (seen.citations += 1));
    return { whole: told(whole), streamed: told(await stream.finalMessage()), seen };
  },
  async turns() {
    const messages = [...request.messages];
    const reasons = [];
    let message;
    do {
      message = await client.messages.stream({ ...request, messages }).finalMessage();
      messages.push({ role: "assistant", content: message.content });
      reasons.push(message.stop_reason);
    } while (message.stop_reason === "pause_turn" && reasons.length < 9);
    return { reasons, content: plain(messages.slice(1).flatMap((said) => said.content)) };
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
