// Speech in and out, as OpenAI's client for JavaScript asks for it; what is spoken is heard back.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI, { toFile } from "openai";
import { key, recording, sound, unwrapped, url } from "./server.js";

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, timeout: 30_000 });
const model = "whisper-1";
const ENGLISH = "What time is it now?";
const english = () => toFile(recording("utt03_en"), "question.wav");
const chinese = () => toFile(recording("utt18_zh"), "谢谢.wav", { type: "audio/wav" });
const speak = async (more) => {
  const asked = { model: "tts-1", voice: "default", input: "Turn on the kitchen light.", ...more };
  return client.audio.speech.create(asked);
};

test("what is said is written down, in English and in Chinese", async () => {
  assert.equal((await client.audio.transcriptions.create({ file: await english(), model })).text, ENGLISH);
  const heard = await client.audio.transcriptions.create({ file: await chinese(), model, language: "zh" });
  assert.equal(heard.text, "谢谢你。");
});

test("every kind of file that the client takes is read", async () => {
  const [bytes, name] = [recording("utt03_en"), "question.wav"];
  const kinds = [new Blob([bytes]), new Response(bytes)];
  const files = [new File([bytes], name), ...(await Promise.all(kinds.map((kind) => toFile(kind, name))))];
  for (const file of files)
    assert.equal((await client.audio.transcriptions.create({ file, model })).text, ENGLISH);
});

test("texts come as texts", async () => {
  const ask = async (response_format) =>
    client.audio.transcriptions.create({ file: await english(), model, response_format });
  assert.equal(await ask("text"), `${ENGLISH}\n`);
  const times = "00:00:00,000 --> 00:00:01,160";
  assert.equal(await ask("srt"), `1\n${times}\n${ENGLISH}\n\n`);
  assert.equal(await ask("vtt"), `WEBVTT\n\n${times.replaceAll(",", ".")}\n${ENGLISH}\n\n`);
});

test("words have their times", async () => {
  const { pcm, rate } = unwrapped(recording("utt03_en"));
  const told = await client.audio.transcriptions.create({
    file: await english(),
    model,
    response_format: "verbose_json",
    timestamp_granularities: ["word", "segment"],
  });
  assert.equal(told.text, ENGLISH);
  assert.equal(told.language, "english");
  assert.ok(Math.abs(told.duration - sound(pcm, rate).seconds) < 0.001);
  assert.equal(told.words.map((word) => word.word).join(" "), ENGLISH);
  assert.ok(told.words.every((word) => word.start <= word.end && word.end <= told.duration));
  assert.equal(told.segments[0].text, ENGLISH);
});

test("a transcription is streamed as events", async () => {
  const events = [];
  const asked = { file: await chinese(), model: "gpt-4o-transcribe", stream: true };
  for await (const event of await client.audio.transcriptions.create(asked)) events.push(event);
  assert.equal(events.at(-1).type, "transcript.text.done");
  assert.equal(events.at(-1).text, "谢谢你。");
  assert.equal(events.slice(0, -1).map((event) => event.delta).join(""), "谢谢你。");
});

test("a translation is asked for like a transcription", async () => {
  assert.equal((await client.audio.translations.create({ file: await english(), model })).text, ENGLISH);
});

const FORMATS = {
  mp3: { type: "audio/mpeg", begins: /^\xff[\xf2\xf3]/ },
  opus: { type: "audio/ogg", begins: /^OggS/ },
  aac: { type: "audio/aac", begins: /^\xff[\xf0\xf1\xf8\xf9]/ },
  flac: { type: "audio/flac", begins: /^fLaC/ },
  wav: { type: "audio/wav", begins: /^RIFF/ },
};

for (const [response_format, { type, begins }] of Object.entries(FORMATS)) {
  test(`${response_format} is what it says, and what is spoken is heard back`, async () => {
    const answer = await speak({ response_format });
    assert.equal(answer.headers.get("content-type"), type);
    const spoken = Buffer.from(await answer.arrayBuffer());
    assert.match(spoken.toString("latin1", 0, 4), begins);
    const file = await toFile(spoken, `spoken.${response_format}`);
    const heard = await client.audio.transcriptions.create({ file, model });
    assert.equal(heard.text, "Turn on the kitchen light.");
  });
}

test("wav and pcm last as long as the sentence, and are no silence", async () => {
  const wav = unwrapped(Buffer.from(await (await speak({ response_format: "wav" })).arrayBuffer()));
  assert.equal(wav.rate, 24_000);
  const answer = await speak({ response_format: "pcm" });
  assert.equal(answer.headers.get("content-type"), "audio/pcm;rate=24000");
  const bare = sound(Buffer.from(await answer.arrayBuffer()), 24_000);
  const wrapped = sound(wav.pcm, 24_000);
  assert.ok(1 < bare.seconds && bare.seconds < 3, `${bare.seconds} s`);
  assert.ok(Math.abs(bare.seconds - wrapped.seconds) < 0.1);
  for (const { loudness } of [bare, wrapped]) assert.ok(0.01 < loudness && loudness < 0.5, `${loudness}`);
});

test("speech comes piece by piece, in the pace that is asked for", async () => {
  const input = "今天天气怎么样？请讲一个笑话。你记得我的名字吗？";
  const pieces = [];
  for await (const piece of (await speak({ input, response_format: "pcm" })).body) pieces.push(piece);
  assert.ok(pieces.length > 1);
  const plain = Buffer.concat(pieces).length;
  const fast = (await (await speak({ input, response_format: "pcm", speed: 2 })).arrayBuffer()).byteLength;
  assert.ok(Math.abs(plain / fast - 2) < 0.4, `${plain} / ${fast}`);
});

test("what cannot be heard or spoken is an error of its class", async () => {
  const noise = await toFile(Buffer.from("no sound at all"), "noise.wav");
  const refused = async (promise, kind, param) =>
    assert.rejects(promise, (error) => error instanceof kind && error.param === param);
  await refused(client.audio.transcriptions.create({ file: noise, model }), OpenAI.BadRequestError, "file");
  await refused(
    client.audio.transcriptions.create({ file: await english(), model: "gpt-5" }), OpenAI.NotFoundError, "model",
  );
  await refused(speak({ input: "" }), OpenAI.BadRequestError, "input");
  await refused(speak({ speed: 9 }), OpenAI.BadRequestError, "speed");
});
