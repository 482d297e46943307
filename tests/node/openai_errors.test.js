// Errors as the classes of OpenAI's client for JavaScript, and what it does about them.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { key, url, user } from "./server.js";

const settings = { baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, timeout: 30_000 };
const client = new OpenAI(settings);
const create = (more, by = client) =>
  by.chat.completions.create({ model: "companion", messages: [user("Hello?")], ...more });

async function refused(promise, kind, expected) {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof kind, `${error.constructor.name}: ${error.message}`);
    const { status, code, param, type } = error;
    assert.deepEqual({ status, code, param, type }, expected);
    assert.ok(error.message.startsWith(`${status} `));
    assert.ok(error.requestID);
    return true;
  });
}

const type = "invalid_request_error";

test("a wrong key, or none", async () => {
  const expected = { status: 401, code: "invalid_api_key", param: null, type };
  for (const more of [{ apiKey: "ts-wrong" }, { defaultHeaders: { authorization: null } }])
    await refused(create({}, new OpenAI({ ...settings, ...more })), OpenAI.AuthenticationError, expected);
});

test("a key that does not open it", async () => {
  const listing = client.get("/knowledge/documents");
  const expected = { status: 403, code: "insufficient_permissions", param: null, type };
  await refused(listing, OpenAI.PermissionDeniedError, expected);
});

test("a model that is not there", async () => {
  const expected = { status: 404, code: "model_not_found", param: "model", type };
  await refused(create({ model: "gpt-5" }), OpenAI.NotFoundError, expected);
  await refused(create({ model: "没有", stream: true }), OpenAI.NotFoundError, expected);
  await refused(client.models.retrieve("没有"), OpenAI.NotFoundError, expected);
});

test("what is asked for wrongly", async () => {
  const expected = (param) => ({ status: 400, code: "invalid_value", param, type });
  await refused(create({ n: 2 }), OpenAI.BadRequestError, expected("n"));
  const wizard = { role: "wizard", content: "Hello?" };
  await refused(create({ messages: [user("你好？"), wizard] }), OpenAI.BadRequestError, expected("messages.1.role"));
  await refused(create({ messages: [] }), OpenAI.BadRequestError, expected("messages"));
  await refused(create({ temperature: 3, stream: true }), OpenAI.BadRequestError, expected("temperature"));
});

test("a model that is busy", async () => {
  const expected = { status: 503, code: "engine_unavailable", param: null, type: "server_error" };
  await refused(create({ messages: [user("Be busy.")] }), OpenAI.InternalServerError, expected);
});

test("a failure in the middle of a stream", async () => {
  let text = "";
  const read = async () => {
    for await (const chunk of await create({ messages: [user("Break off.")], stream: true }))
      text += chunk.choices[0]?.delta.content ?? "";
  };
  await assert.rejects(read, (error) => error instanceof OpenAI.APIError && /out of memory/.test(error.message));
  assert.equal(text, "One two");
});

test("a client that has no time is told so by its own class", async () => {
  const asked = { model: "companion", messages: [user("Count slowly.")] };
  await assert.rejects(client.chat.completions.create(asked, { timeout: 200 }), OpenAI.APIConnectionTimeoutError);
  const signal = AbortSignal.timeout(200);
  await assert.rejects(client.chat.completions.create(asked, { signal }), OpenAI.APIUserAbortError);
});

// The last: it uses up what the key of this file may ask for.
test("too many requests, and when to come back", async () => {
  let allowed;
  const ask = async () => {
    for (;;) {
      const { response } = await client.models.retrieve("companion").withResponse();
      allowed = Number(response.headers.get("x-ratelimit-remaining-requests"));
    }
  };
  await assert.rejects(ask, (error) => {
    assert.ok(error instanceof OpenAI.RateLimitError, error.message);
    assert.equal(error.status, 429);
    assert.equal(error.code, "rate_limit_exceeded");
    assert.ok(Number(error.headers.get("retry-after")) >= 1);
    return true;
  });
  assert.equal(allowed, 0);
  // With retries, which are the client's default, it waits for as long as it is told and is answered.
  const patient = new OpenAI({ ...settings, maxRetries: 2 });
  assert.equal((await patient.models.retrieve("companion")).id, "companion");
});
