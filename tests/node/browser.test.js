// What a browser does for a page that uses OpenAI's client: it asks first, and hides what it is not allowed to show.

import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { headers, key, url, user } from "./server.js";

const ALLOWED = process.env.TINGSHUO_ORIGIN;
const OTHER = "https://evil.example";
// A browser sends these itself, or may always send them.
const UNASKED = new Set(["accept", "accept-language", "content-length", "host", "user-agent"]);
const asked = { model: "companion", messages: [user("你好，你是谁？")] };

/** The names of the headers that the client sends with a request, which a browser would ask for. */
async function namesSent() {
  let names;
  const fetching = async (address, init) => {
    names = [...new Headers(init.headers).keys()].filter((name) => !UNASKED.has(name));
    return fetch(address, init);
  };
  const settings = { baseURL: `${url}/v1`, apiKey: key, dangerouslyAllowBrowser: true, timeout: 30_000 };
  const reply = await new OpenAI({ ...settings, fetch: fetching }).chat.completions.create(asked);
  assert.equal(reply.choices[0].message.content, "我是听说，你的语音助手。");
  return names;
}

const preflight = (origin, names, path = "/v1/chat/completions", method = "POST") =>
  fetch(url + path, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": method,
      "access-control-request-headers": names.join(","),
    },
  });

test("a page that is named may send all that the client sends", async () => {
  const names = await namesSent();
  for (const name of ["authorization", "content-type", "x-stainless-os"]) assert.ok(names.includes(name), name);
  const calls = { "/v1/chat/completions": "POST", "/v1/audio/speech": "POST", "/v1/models": "GET" };
  for (const [path, method] of Object.entries(calls)) {
    const answer = await preflight(ALLOWED, names, path, method);
    assert.equal(answer.status, 204);
    assert.equal(answer.headers.get("access-control-allow-origin"), ALLOWED);
    assert.ok(answer.headers.get("access-control-allow-methods").split(", ").includes(method));
    const allowed = answer.headers.get("access-control-allow-headers").toLowerCase().split(/, */);
    assert.deepEqual(names.filter((name) => !allowed.includes(name)), []);
    assert.equal(answer.headers.get("vary"), "Origin");
  }
});

test("a page that is not named may not ask, nor call", async () => {
  const answer = await preflight(OTHER, await namesSent());
  assert.equal(answer.status, 403);
  assert.equal(answer.headers.get("access-control-allow-origin"), null);
  for (const origin of [OTHER, "null", "http://localhost:3000"]) {
    const called = await fetch(`${url}/v1/models`, { headers: { ...headers, origin } });
    assert.equal(called.status, 403);
    assert.equal(called.headers.get("access-control-allow-origin"), null);
    assert.match((await called.json()).error.message, /may not call/);
  }
});

test("a page that is named can read replies, refusals, and when to try again", async () => {
  const call = (more) =>
    fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { ...headers, origin: ALLOWED, "content-type": "application/json", ...more },
      body: JSON.stringify({ ...asked, stream: true }),
    });
  const answer = await call();
  assert.equal(answer.headers.get("access-control-allow-origin"), ALLOWED);
  const shown = answer.headers.get("access-control-expose-headers").split(", ");
  for (const name of ["x-request-id", "retry-after", "x-should-retry"]) assert.ok(shown.includes(name), name);
  assert.match(await answer.text(), /听说[^]*data: \[DONE\]/);
  const refused = await call({ authorization: "Bearer ts-wrong" });
  assert.equal(refused.status, 401);
  assert.equal(refused.headers.get("access-control-allow-origin"), ALLOWED);
});

test("a form of a page elsewhere sends nothing", async () => {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { ...headers, "content-type": "text/plain" },
    body: JSON.stringify(asked),
  });
  assert.equal(answer.status, 415);
});
