// The server that the tests ask, and what they need to judge its answers; which client asks, it does not know.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";

export const url = process.env.TINGSHUO_URL;
export const key = process.env.TINGSHUO_KEY;
export const headers = { authorization: `Bearer ${key}` };

export const user = (content) => ({ role: "user", content });

const parameters = {
  type: "object",
  properties: { place: { type: "string" } },
  required: ["place"],
  additionalProperties: false,
};
export const WEATHER = { name: "weather", description: "The weather of a place.", parameters };

/** What the model's JSON is. */
export const Trip = z.object({ city: z.string(), country: z.string(), days: z.int() });
export const FORM = { city: "格拉茨", country: "Austria", days: 3 };

/** A recording of one of the sentences that the server's ears know, as a WAV file. */
export const recording = (name) => readFileSync(join(process.env.TINGSHUO_RECORDINGS, `${name}.wav`));

/** How a turn ended; it is kept a moment after its stream has. */
export async function outcome(turn) {
  for (const deadline = Date.now() + 5000; Date.now() < deadline; await wait(20)) {
    const answer = await fetch(`${url}/v1/turns/${turn}`, { headers });
    if (answer.ok) return (await answer.json()).outcome;
    assert.equal(answer.status, 404);
  }
  assert.fail(`the turn ${turn} was never kept`);
}

/** Samples of 16 bits: how long they last, and their root mean square between 0 and 1. */
export function sound(pcm, rate) {
  const samples = new Int16Array(pcm.buffer, pcm.byteOffset, Math.floor(pcm.length / 2));
  const energy = samples.reduce((sum, sample) => sum + (sample / 32768) ** 2, 0);
  return { seconds: samples.length / rate, loudness: Math.sqrt(energy / samples.length) };
}

/** The samples of a WAV file, which may not know its own length, and their rate. */
export function unwrapped(wav) {
  assert.equal(wav.toString("latin1", 0, 4), "RIFF");
  assert.equal(wav.toString("latin1", 8, 16), "WAVEfmt ");
  const [form, channels, bits] = [20, 22, 34].map((at) => wav.readUInt16LE(at));
  assert.deepEqual([form, channels, bits], [1, 1, 16]);
  assert.equal(wav.toString("latin1", 36, 40), "data");
  return { pcm: Buffer.from(wav.subarray(44)), rate: wav.readUInt32LE(24) };
}
