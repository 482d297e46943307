// OpenAI's Agents SDK, over responses and over chat completions.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, run, setTracingDisabled, tool,
} from "@openai/agents";
import OpenAI from "openai";
import { z } from "zod";
import { FORM, key, Trip, url } from "./server.js";

// Else what was said would be reported to OpenAI.
setTracingDisabled(true);

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, timeout: 30_000 });
const MODELS = {
  responses: new OpenAIResponsesModel(client, "companion"),
  chat: new OpenAIChatCompletionsModel(client, "companion"),
};
const named = { name: "Guide", instructions: "Be brief." };

function weather() {
  const asked = [];
  const one = tool({
    name: "weather",
    description: "The weather of a place.",
    parameters: z.object({ place: z.string() }),
    execute: async ({ place }) => {
      asked.push(place);
      return place === "Graz" ? "12 degrees" : "下雨";
    },
  });
  return { asked, tools: [one] };
}

for (const [kind, model] of Object.entries(MODELS)) {
  test(`${kind}: a reply, and one in a stream`, async () => {
    const agent = new Agent({ ...named, model });
    assert.equal((await run(agent, "你好，你是谁？")).finalOutput, "我是听说，你的语音助手。");
    const streamed = await run(agent, "Hello?", { stream: true });
    let text = "";
    for await (const piece of streamed.toTextStream()) text += piece;
    await streamed.completed;
    assert.equal(text, "Hello there.");
    assert.equal(streamed.finalOutput, "Hello there.");
  });

  test(`${kind}: tools are called, and the run goes on to its end`, async () => {
    for (const stream of [false, true]) {
      const { asked, tools } = weather();
      const result = await run(new Agent({ ...named, model, tools }), "天气怎么样？", { stream });
      if (stream) await result.completed;
      assert.equal(result.finalOutput, "The tools say: 12 degrees / 下雨");
      assert.deepEqual(asked, ["Graz", "林茨"]);
    }
  });

  test(`${kind}: a call is insisted on once`, async () => {
    const { asked, tools } = weather();
    const agent = new Agent({ ...named, model, tools, modelSettings: { toolChoice: "required" } });
    assert.equal((await run(agent, "Hello?")).finalOutput, "The tools say: 12 degrees");
    assert.deepEqual(asked, ["Graz"]);
  });

  test(`${kind}: one agent hands over to another`, async () => {
    const chinese = new Agent({ name: "Chinese", model, handoffDescription: "Speaks Chinese." });
    const result = await run(new Agent({ ...named, model, handoffs: [chinese] }), "Hand over.");
    assert.equal(result.lastAgent, chinese);
    assert.match(result.finalOutput, /^The tools say: .*Chinese/);
  });

  test(`${kind}: an output of a schema`, async () => {
    const agent = new Agent({ ...named, model, outputType: Trip });
    assert.deepEqual((await run(agent, "去哪里？")).finalOutput, FORM);
  });

  test(`${kind}: a run follows another`, async () => {
    const agent = new Agent({ ...named, model });
    const first = await run(agent, "我喜欢喝茶。");
    const history = [...first.history, { role: "user", content: "What did I say before?" }];
    assert.equal((await run(agent, history)).finalOutput, "You said: 我喜欢喝茶。");
  });
}

test("responses: a run follows a stored response", async () => {
  const agent = new Agent({ ...named, model: MODELS.responses });
  const first = await run(agent, "我喜欢喝茶。");
  const then = await run(agent, "What did I say before?", { previousResponseId: first.lastResponseId });
  assert.equal(then.finalOutput, "You said: 我喜欢喝茶。");
});
