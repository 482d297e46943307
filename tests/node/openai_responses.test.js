// Responses, as OpenAI's client for JavaScript asks for them.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import { FORM, key, outcome, Trip, url, WEATHER } from "./server.js";

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, timeout: 30_000 });
const model = "companion";
const tools = [{ type: "function", ...WEATHER, strict: true }];
const outputs = (response) =>
  response.output
    .filter((item) => item.type === "function_call")
    .map((item, at) => ({
      type: "function_call_output",
      call_id: item.call_id,
      output: ["12 degrees", "下雨"][at],
    }));

test("a response in one piece, in English and in Chinese", async () => {
  const english = await client.responses.create({ model, input: "Hello?", metadata: { a: "b" } });
  assert.equal(english.output_text, "Hello there.");
  assert.equal(english.status, "completed");
  assert.deepEqual(english.metadata, { a: "b" });
  assert.equal(english.usage.total_tokens, english.usage.input_tokens + english.usage.output_tokens);
  const chinese = await client.responses.create({
    model,
    input: [{ role: "user", content: [{ type: "input_text", text: "你好，你是谁？" }] }],
  });
  assert.equal(chinese.output_text, "我是听说，你的语音助手。");
});

test("a stream numbers its events, and each is in its place", async () => {
  const events = [];
  for await (const event of await client.responses.create({ model, input: "你好，你是谁？", stream: true }))
    events.push(event);
  assert.deepEqual(events.map((event) => event.sequence_number), [...events.keys()]);
  const kinds = events.map((event) => event.type).filter((kind, at, all) => kind !== all[at - 1]);
  assert.deepEqual(kinds, [
    "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
    "response.output_text.delta", "response.output_text.done", "response.content_part.done",
    "response.output_item.done", "response.completed",
  ]);
  const text = events.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta);
  assert.ok(text.length > 2);
  assert.equal(text.join(""), "我是听说，你的语音助手。");
});

test("the stream helper puts the response together", async () => {
  const stream = client.responses.stream({ model, input: "Hello?" });
  const snapshots = [];
  stream.on("response.output_text.delta", (event) => snapshots.push(event.snapshot));
  const response = await stream.finalResponse();
  assert.deepEqual(snapshots, ["Hello", "Hello there."]);
  assert.equal(response.output_text, "Hello there.");
});

test("one response follows another", async () => {
  const first = await client.responses.create({ model, input: "我喜欢喝茶。" });
  const input = "What did I say before?";
  const second = await client.responses.create({ model, input, previous_response_id: first.id });
  assert.equal(second.previous_response_id, first.id);
  assert.equal(second.output_text, "You said: 我喜欢喝茶。");
  const unknown = client.responses.create({ model, input, previous_response_id: "resp_nowhere" });
  await assert.rejects(unknown, (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.code, "previous_response_not_found");
    assert.equal(error.param, "previous_response_id");
    return true;
  });
});

test("tools are called at once by the client, and their results come back", async () => {
  const asked = { model, input: "What is the weather there?", tools };
  const first = await client.responses.create(asked);
  assert.deepEqual(
    first.output.map((item) => [item.type, item.name, JSON.parse(item.arguments)]),
    [["function_call", "weather", { place: "Graz" }], ["function_call", "weather", { place: "林茨" }]],
  );
  const then = await client.responses.create({
    ...asked,
    input: outputs(first),
    previous_response_id: first.id,
  });
  assert.equal(then.output_text, "The tools say: 12 degrees / 下雨");
  // The same with a history of the client's own.
  const whole = await client.responses.create({
    ...asked,
    input: [{ role: "user", content: asked.input }, ...first.output, ...outputs(first)],
  });
  assert.equal(whole.output_text, "The tools say: 12 degrees / 下雨");
});

test("a stream of calls can be followed by a stream of text", async () => {
  const calling = client.responses.stream({ model, input: "天气怎么样？", tools });
  const given = [];
  calling.on("response.function_call_arguments.delta", (event) => given.push([event.output_index, event.snapshot]));
  const first = await calling.finalResponse();
  assert.deepEqual(
    given.map(([index, text]) => [index, JSON.parse(text).place]),
    [[0, "Graz"], [1, "林茨"]],
  );
  const asked = { model, input: outputs(first), previous_response_id: first.id, tools };
  const then = await client.responses.stream(asked).finalResponse();
  assert.equal(then.output_text, "The tools say: 12 degrees / 下雨");
});

test("a reply is held to a schema", async () => {
  const text = { format: zodTextFormat(Trip, "trip") };
  const parsed = await client.responses.parse({ model, input: "去哪里？", text });
  assert.deepEqual(parsed.output_parsed, FORM);
  const streamed = await client.responses.stream({ model, input: "Where to?", text }).finalResponse();
  assert.deepEqual(streamed.output_parsed, FORM);
});

test("a stream that is stopped in the middle stops the model", async () => {
  const began = Date.now();
  const stream = await client.responses.create({ model, input: "Count slowly.", stream: true });
  let turn;
  let text = "";
  for await (const event of stream) {
    turn = event.response?.id.replace("resp_", "") ?? turn;
    text += event.type === "response.output_text.delta" ? event.delta : "";
    if (text.endsWith("5")) stream.controller.abort();
  }
  assert.ok(text.startsWith("1 2 3 4 5"), text);
  assert.equal(await outcome(turn), "interrupted");
  assert.ok(Date.now() - began < 6000, "the model went on");
});

test("a failure in the middle is an event", async () => {
  const events = [];
  for await (const event of await client.responses.create({ model, input: "Break off.", stream: true }))
    events.push(event);
  assert.equal(events.at(-1).type, "response.failed");
  assert.match(events.at(-1).response.error.message, /out of memory/);
});
