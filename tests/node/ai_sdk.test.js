// The AI SDK: its provider for OpenAI asks for responses, and that for OpenAI's likes for chat completions.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  embedMany, experimental_generateSpeech as generateSpeech, experimental_transcribe as transcribe, generateText, Output,
  stepCountIs, streamText, tool,
} from "ai";
import { z } from "zod";
import { FORM, key, recording, sound, Trip, unwrapped, url } from "./server.js";

const settings = { baseURL: `${url}/v1`, apiKey: key, name: "tingshuo" };
const openai = createOpenAI(settings);
const compatible = createOpenAICompatible({ ...settings, includeUsage: true, supportsStructuredOutputs: true });
const MODELS = { responses: openai("companion"), chat: openai.chat("companion"), compatible: compatible("companion") };
const maxRetries = 0;

function weather() {
  const asked = [];
  const execute = async ({ place }) => {
    asked.push(place);
    return place === "Graz" ? "12 degrees" : "下雨";
  };
  const inputSchema = z.object({ place: z.string() });
  return { asked, tools: { weather: tool({ description: "The weather of a place.", inputSchema, execute }) } };
}

for (const [kind, model] of Object.entries(MODELS)) {
  test(`${kind}: a text, whole and in a stream`, async () => {
    const whole = await generateText({ model, prompt: "你好，你是谁？", maxRetries });
    assert.equal(whole.text, "我是听说，你的语音助手。");
    assert.equal(whole.finishReason, "stop");
    assert.deepEqual(whole.warnings, []);
    const streamed = streamText({ model, prompt: "Hello?", maxRetries });
    const pieces = [];
    for await (const piece of streamed.textStream) pieces.push(piece);
    assert.deepEqual(pieces, ["Hello", " there."]);
    const { outputTokens, totalTokens } = await streamed.usage;
    assert.ok(outputTokens === 2 && totalTokens > 2);
  });

  test(`${kind}: tools are called in steps, whole and in a stream`, async () => {
    const prompt = "What is the weather there?";
    const first = weather();
    const whole = await generateText({ model, prompt, tools: first.tools, stopWhen: stepCountIs(3), maxRetries });
    assert.equal(whole.text, "The tools say: 12 degrees / 下雨");
    assert.deepEqual(first.asked, ["Graz", "林茨"]);
    const second = weather();
    const more = { tools: second.tools, stopWhen: stepCountIs(3), maxRetries };
    const streamed = streamText({ model, prompt: "天气怎么样？", ...more });
    assert.equal(await streamed.text, "The tools say: 12 degrees / 下雨");
    assert.equal((await streamed.steps).length, 2);
    assert.deepEqual(second.asked, ["Graz", "林茨"]);
  });

  test(`${kind}: an object of a schema`, async () => {
    const output = Output.object({ schema: Trip });
    assert.deepEqual((await generateText({ model, prompt: "去哪里？", output, maxRetries })).output, FORM);
    const streamed = streamText({ model, prompt: "Where to?", output, maxRetries });
    let last;
    for await (const part of streamed.partialOutputStream) last = part;
    assert.deepEqual(last, FORM);
  });

  test(`${kind}: an error has its status`, async () => {
    await assert.rejects(generateText({ model, prompt: "Be busy.", maxRetries }), { statusCode: 503 });
  });
}

test("thoughts come apart from the reply", async () => {
  const asked = { model: MODELS.compatible, prompt: "Why is the sky blue?", maxRetries };
  const { text, reasoningText } = await generateText(asked);
  assert.equal(text, "Air scatters blue light.");
  assert.equal(reasoningText, undefined);
  const providerOptions = { tingshuo: { reasoningEffort: "high" } };
  const thought = await generateText({ ...asked, providerOptions });
  assert.equal(thought.reasoningText, "Short waves scatter most.");
});

test("what is spoken is heard back", async () => {
  const { audio } = await generateSpeech({
    model: openai.speech("tts-1"), text: "Turn on the kitchen light.", voice: "default", outputFormat: "wav",
    maxRetries,
  });
  const { pcm, rate } = unwrapped(Buffer.from(audio.uint8Array));
  assert.ok(sound(pcm, rate).seconds > 1);
  const heard = await transcribe({ model: openai.transcription("whisper-1"), audio: audio.uint8Array, maxRetries });
  assert.equal(heard.text, "Turn on the kitchen light.");
  const chinese = await transcribe({
    model: openai.transcription("gpt-4o-transcribe"), audio: recording("utt12_zh"), maxRetries,
  });
  assert.equal(chinese.text, "你好，你是谁？");
});

test("texts are embedded", async () => {
  const values = ["The cat sat on the mat.", "猫坐在垫子上。"];
  const made = await Promise.all(
    [openai.embedding("text-embedding-3-small"), compatible.embeddingModel("hashed")].map(
      async (model) => (await embedMany({ model, values, maxRetries })).embeddings,
    ),
  );
  assert.equal(made[0].length, 2);
  assert.deepEqual(made[0], made[1]);
});
