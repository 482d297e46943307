// Ollama's own API, as Ollama's client for JavaScript asks for it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Ollama } from "ollama";
import { FORM, headers, Trip, url, user, WEATHER } from "./server.js";
import { z } from "zod";

const client = new Ollama({ host: url, headers });
const model = "companion";
const tools = [{ type: "function", function: WEATHER }];
const chat = (question, more) => client.chat({ model, messages: [user(question)], ...more });
const read = async (stream) => {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
};

test("personas are listed, shown, and seen to be running", async () => {
  const { models } = await client.list();
  const listed = models.find((one) => one.name === "companion:latest");
  assert.equal(listed.model, "companion:latest");
  assert.ok(!Number.isNaN(Date.parse(listed.modified_at)));
  const shown = await client.show({ model });
  assert.deepEqual(shown.capabilities, ["completion", "tools", "thinking"]);
  assert.equal(typeof shown.model_info["general.architecture"], "string");
  await chat("Hello?");
  const running = (await client.ps()).models.find((one) => one.name === "companion:latest");
  assert.ok(Date.parse(running.expires_at) > Date.now());
  assert.match((await client.version()).version, /^\d+\.\d+\.\d+$/);
});

test("a reply in one piece and in a stream, in English and in Chinese", async () => {
  const whole = await chat("Hello?");
  assert.deepEqual(whole.message, { role: "assistant", content: "Hello there." });
  assert.deepEqual([whole.done, whole.done_reason, whole.eval_count], [true, "stop", 2]);
  const parts = await read(await chat("你好，你是谁？", { stream: true }));
  assert.equal(parts.map((part) => part.message.content).join(""), "我是听说，你的语音助手。");
  assert.ok(parts.length > 3);
  assert.deepEqual(parts.map((part) => part.done), [...Array(parts.length - 1).fill(false), true]);
});

test("thoughts come apart from the reply", async () => {
  const whole = await chat("Why is the sky blue?", { think: true });
  assert.equal(whole.message.thinking, "Short waves scatter most.");
  assert.equal(whole.message.content, "Air scatters blue light.");
  const parts = await read(await chat("Why is the sky blue?", { think: "high", stream: true }));
  assert.equal(parts.map((part) => part.message.thinking ?? "").join(""), "Short waves scatter most.");
  assert.equal((await chat("Why is the sky blue?", { think: false })).message.thinking, undefined);
});

for (const stream of [false, true]) {
  test(`tools are called ${stream ? "in a stream" : "at once"}, and their results come back`, async () => {
    const question = user("What is the weather there, 天气？");
    const answer = await client.chat({ model, messages: [question], tools, stream });
    const messages = stream ? (await read(answer)).map((part) => part.message) : [answer.message];
    const tool_calls = messages.flatMap((message) => message.tool_calls ?? []);
    const called = tool_calls.map((call) => [call.function.name, call.function.arguments]);
    assert.deepEqual(called, [["weather", { place: "Graz" }], ["weather", { place: "林茨" }]]);
    const results = ["12 degrees", "下雨"].map((content) => ({ role: "tool", content, tool_name: "weather" }));
    const history = [question, { role: "assistant", content: "", tool_calls }, ...results];
    const then = await client.chat({ model, messages: history, tools });
    assert.equal(then.message.content, "The tools say: 12 degrees / 下雨");
  });
}

test("a reply is held to a schema", async () => {
  const told = await chat("去哪里？", { format: z.toJSONSchema(Trip) });
  assert.deepEqual(JSON.parse(told.message.content), FORM);
  const generated = await client.generate({ model, prompt: "Where to?", format: "json" });
  assert.deepEqual(JSON.parse(generated.response), FORM);
});

test("a prompt is answered", async () => {
  const whole = await client.generate({ model, prompt: "你好，你是谁？", system: "Be brief." });
  assert.equal(whole.response, "我是听说，你的语音助手。");
  const parts = await read(await client.generate({ model, prompt: "Hello?", stream: true }));
  assert.deepEqual(parts.map((part) => part.response), ["Hello", " there.", ""]);
  assert.equal(parts.at(-1).done_reason, "stop");
});

test("texts are embedded", async () => {
  const input = ["The cat sat on the mat.", "猫坐在垫子上。"];
  const { embeddings } = await client.embed({ model: "hashed", input });
  assert.equal(embeddings.length, 2);
  for (const vector of embeddings)
    assert.ok(Math.abs(Math.hypot(...vector) - 1) < 1e-3, "a vector of length 1, as Ollama's are");
  const { embedding } = await client.embeddings({ model: "hashed", prompt: input[1] });
  assert.ok(embedding.every((value, at) => Math.abs(value - embeddings[1][at]) < 1e-6));
});

test("errors have their status and their words", async () => {
  const refused = (promise, status, words) =>
    assert.rejects(promise, (error) => {
      assert.equal(error.name, "ResponseError");
      assert.equal(error.status_code, status);
      assert.match(error.message, words);
      return true;
    });
  await refused(client.chat({ model: "没有", messages: [user("Hello?")] }), 404, /model '没有' not found/);
  await refused(client.show({ model: "nobody" }), 404, /model 'nobody' not found/);
  await refused(chat("Hello?", { options: { temperature: "hot" } }), 400, /temperature/);
  await refused(chat("Be busy."), 503, /busy/);
  await refused(client.pull({ model }), 501, /\/api\/pull/);
  await refused(client.delete({ model }), 501, /\/api\/delete/);
  await refused(new Ollama({ host: url, headers: { authorization: "Bearer ts-wrong" } }).list(), 401, /key/);
});

test("a failure in the middle of a stream", async () => {
  const stream = await chat("Break off.", { stream: true });
  let text = "";
  const reading = async () => {
    for await (const part of stream) text += part.message.content;
  };
  await assert.rejects(reading, /out of memory/);
  assert.equal(text, "One two");
});

test("a stream that is stopped in the middle stops the model", async () => {
  const began = Date.now();
  const stream = await chat("Count slowly.", { stream: true });
  let text = "";
  const reading = async () => {
    for await (const part of stream) {
      text += part.message.content;
      if (text.endsWith("5")) stream.abort();
    }
  };
  await assert.rejects(reading, { name: "AbortError" });
  assert.ok(text.startsWith("1 2 3 4 5"), text);
  // A conversation has one turn at a time: asked again, it begins as soon as the first turn is over.
  const again = await chat("Count slowly.", { stream: true });
  const { value } = await again[Symbol.asyncIterator]().next();
  again.abort();
  assert.equal(value.message.content, "1");
  assert.ok(Date.now() - began < 6000, "the model went on");
});
