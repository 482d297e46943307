// Chat completions, models and embeddings, as OpenAI's client for JavaScript asks for them.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { FORM, outcome, recording, sound, Trip, unwrapped, url, user, key, WEATHER } from "./server.js";

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, timeout: 30_000 });
const tools = [{ type: "function", function: { ...WEATHER, strict: true } }];
const create = (question, more) =>
  client.chat.completions.create({ model: "companion", messages: [user(question)], ...more });

test("personas are listed as models", async () => {
  const listed = [];
  for await (const model of client.models.list()) listed.push(model);
  const ids = listed.map((model) => model.id);
  assert.ok(ids.includes("companion") && ids.includes("default"), ids.join());
  for (const model of listed) {
    assert.equal(model.object, "model");
    assert.ok(Number.isInteger(model.created));
    assert.equal(typeof model.owned_by, "string");
  }
  assert.equal((await client.models.retrieve("companion")).id, "companion");
});

test("a reply in one piece, in English and in Chinese", async () => {
  const english = await create("Hello?");
  assert.equal(english.choices[0].message.content, "Hello there.");
  assert.equal(english.choices[0].finish_reason, "stop");
  assert.equal(english.object, "chat.completion");
  const { prompt_tokens, completion_tokens, total_tokens } = english.usage;
  assert.equal(completion_tokens, 2);
  assert.equal(total_tokens, prompt_tokens + completion_tokens);
  const chinese = await create("你好，你是谁？");
  assert.equal(chinese.choices[0].message.content, "我是听说，你的语音助手。");
});

test("a stream, and its tokens where they are asked for", async () => {
  const chunks = [];
  for await (const chunk of await create("你好，你是谁？", { stream: true, stream_options: { include_usage: true } }))
    chunks.push(chunk);
  const last = chunks.pop();
  assert.deepEqual(last.choices, []);
  assert.ok(last.usage.completion_tokens > 2);
  assert.equal(chunks[0].choices[0].delta.role, "assistant");
  assert.equal(chunks.map((chunk) => chunk.choices[0].delta.content ?? "").join(""), "我是听说，你的语音助手。");
  assert.ok(chunks.filter((chunk) => chunk.choices[0].delta.content).length > 2);
  assert.equal(chunks.at(-1).choices[0].finish_reason, "stop");
  for await (const chunk of await create("Hello?", { stream: true })) {
    assert.equal(chunk.choices.length, 1);
    assert.ok(!chunk.usage);
  }
});

test("a stream is a web stream too, and can be read twice at once", async () => {
  const [one, other] = (await create("Hello?", { stream: true })).tee();
  const read = async (stream) => {
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0].delta.content ?? "";
    return text;
  };
  assert.deepEqual(await Promise.all([read(one), read(other)]), ["Hello there.", "Hello there."]);
  const lines = (await new Response((await create("Hello?", { stream: true })).toReadableStream()).text()).trim();
  assert.ok(lines.split("\n").every((line) => JSON.parse(line).object === "chat.completion.chunk"));
});

test("tools are called at once by the client, and their results come back", async () => {
  const question = user("What is the weather in Graz and in 林茨?");
  const first = await create(question.content, { tools });
  const { message, finish_reason } = first.choices[0];
  assert.equal(finish_reason, "tool_calls");
  const called = message.tool_calls.map((call) => [call.type, call.function.name, JSON.parse(call.function.arguments)]);
  assert.deepEqual(called, [
    ["function", "weather", { place: "Graz" }],
    ["function", "weather", { place: "林茨" }],
  ]);
  const results = message.tool_calls.map((call, at) => ({
    role: "tool",
    tool_call_id: call.id,
    content: ["12 degrees", "下雨"][at],
  }));
  const then = await client.chat.completions.create({
    model: "companion",
    messages: [question, message, ...results],
    tools,
  });
  assert.equal(then.choices[0].message.content, "The tools say: 12 degrees / 下雨");
});

test("the stream helper puts text and tool calls together, and tells of each as an event", async () => {
  const seen = { content: "", calls: [] };
  const stream = client.chat.completions.stream({ model: "companion", messages: [user("天气怎么样？")], tools });
  stream.on("tool_calls.function.arguments.done", (call) => seen.calls.push([call.index, call.name, call.arguments]));
  const ended = await stream.finalChatCompletion();
  assert.equal(ended.choices[0].finish_reason, "tool_calls");
  assert.deepEqual(
    seen.calls.map(([index, name, given]) => [index, name, JSON.parse(given).place]),
    [[0, "weather", "Graz"], [1, "weather", "林茨"]],
  );
  const text = client.chat.completions.stream({ model: "companion", messages: [user("Hello?")] });
  const snapshots = [];
  text.on("content", (delta, snapshot) => {
    seen.content += delta;
    snapshots.push(snapshot);
  });
  text.on("content.done", ({ content }) => snapshots.push(`${content} Done.`));
  assert.equal(await text.finalContent(), "Hello there.");
  assert.equal(seen.content, "Hello there.");
  assert.deepEqual(snapshots.slice(-2), ["Hello there.", "Hello there. Done."]);
});

test("the tool runner calls the functions itself", async () => {
  const asked = [];
  const run = (given) => {
    asked.push(given.place);
    return given.place === "Graz" ? "12 degrees" : "下雨";
  };
  const runner = client.chat.completions.runTools({
    model: "companion",
    messages: [user("What is the weather there?")],
    tools: [{ type: "function", function: { ...WEATHER, function: run, parse: JSON.parse } }],
  });
  assert.equal(await runner.finalContent(), "The tools say: 12 degrees / 下雨");
  assert.deepEqual(asked, ["Graz", "林茨"]);
  assert.ok((await runner.totalUsage()).total_tokens > 0);
});

test("a reply is held to a schema, also in a stream", async () => {
  const response_format = zodResponseFormat(Trip, "trip");
  const whole = await client.chat.completions.parse({
    model: "companion",
    messages: [user("Where to?")],
    response_format,
  });
  assert.deepEqual(JSON.parse(whole.choices[0].message.content), FORM);
  assert.deepEqual(whole.choices[0].message.parsed, FORM);
  const stream = client.chat.completions.stream({
    model: "companion",
    messages: [user("去哪里？")],
    response_format,
  });
  const parsed = [];
  stream.on("content.delta", (event) => parsed.push(event.parsed));
  assert.deepEqual((await stream.finalChatCompletion()).choices[0].message.parsed, FORM);
  assert.deepEqual(parsed.at(-1), FORM);
});

test("thoughts come apart from the reply", async () => {
  const { message } = (await create("Why is the sky blue?", { reasoning_effort: "high" })).choices[0];
  assert.equal(message.content, "Air scatters blue light.");
  assert.equal(message.reasoning_content, "Short waves scatter most.");
});

test("a question is heard, and the reply spoken", async () => {
  const part = (name) => ({
    type: "input_audio",
    input_audio: { data: recording(name).toString("base64"), format: "wav" },
  });
  const { message } = (
    await create([part("utt03_en")], { modalities: ["text", "audio"], audio: { voice: "default", format: "wav" } })
  ).choices[0];
  assert.equal(message.audio.transcript, "Thank you very much.");
  const spoken = Buffer.from(message.audio.data, "base64");
  const { pcm, rate } = unwrapped(spoken);
  const { seconds, loudness } = sound(pcm, rate);
  assert.ok(0.7 < seconds && seconds < 3, `${seconds} s`);
  assert.ok(loudness > 0.01, `${loudness}`);
  const file = await OpenAI.toFile(spoken, "reply.wav");
  const heard = await client.audio.transcriptions.create({ file, model: "whisper-1" });
  assert.equal(heard.text, "Thank you very much.");
  const chinese = await create([part("utt12_zh")]);
  assert.equal(chinese.choices[0].message.content, "我是听说，你的语音助手。");
});

test("a spoken reply is streamed as samples", async () => {
  const wishes = { stream: true, modalities: ["text", "audio"], audio: { voice: "alloy", format: "pcm16" } };
  let words = "";
  const pieces = [];
  for await (const chunk of await create("你好，你是谁？", wishes)) {
    const audio = chunk.choices[0].delta.audio ?? {};
    words += audio.transcript ?? "";
    if (audio.data) pieces.push(Buffer.from(audio.data, "base64"));
  }
  assert.equal(words, "我是听说，你的语音助手。");
  const { seconds, loudness } = sound(Buffer.concat(pieces), 24_000);
  assert.ok(1 < seconds && seconds < 5, `${seconds} s`);
  assert.ok(loudness > 0.01, `${loudness}`);
});

for (const how of ["by the client", "by a signal"]) {
  test(`a stream that is stopped in the middle ${how} stops the model`, async () => {
    const controller = new AbortController();
    const began = Date.now();
    const asked = { model: "companion", messages: [user("Count slowly.")], stream: true };
    const stream = await client.chat.completions.create(asked, { signal: controller.signal });
    let text = "";
    let turn;
    for await (const chunk of stream) {
      turn = chunk.id.replace("chatcmpl-", "");
      text += chunk.choices[0]?.delta.content ?? "";
      if (text.endsWith("5")) {
        if (how === "by the client") break;
        controller.abort();
      }
    }
    assert.ok(text.startsWith("1 2 3 4 5"), text);
    assert.equal(await outcome(turn), "interrupted");
    assert.ok(Date.now() - began < 6000, "the model went on");
  });
}

test("embeddings come as base64, which the client reads", async () => {
  const input = ["The cat sat on the mat.", "猫坐在垫子上。", "猫坐在垫子上。"];
  const made = await client.embeddings.create({ model: "text-embedding-3-small", input });
  const plain = await client.embeddings.create({ model: "text-embedding-3-small", input, encoding_format: "float" });
  assert.deepEqual(made.data.map((one) => one.index), [0, 1, 2]);
  const close = (one, other) =>
    one.length === other.length && one.every((value, at) => Math.abs(value - other[at]) < 1e-6);
  made.data.forEach((one, at) => assert.ok(close(one.embedding, plain.data[at].embedding)));
  assert.ok(close(made.data[1].embedding, made.data[2].embedding));
  assert.ok(!close(made.data[0].embedding, made.data[1].embedding));
});
