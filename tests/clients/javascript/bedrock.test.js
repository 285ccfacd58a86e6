// The AWS SDK for JavaScript, over HTTP/2 without TLS as it speaks to any http:// endpoint of Bedrock, reads what
// the stand-in sends. Needs the path of the program local-bedrock in LOCAL_BEDROCK_BIN.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CREDENTIALS, ask, client, read, start } from "./stand_in.js";

const THREE_TOKENS = ["messageStart", ...Array(3).fill("contentBlockDelta")];

test("a reply is read to its end, over HTTP/2", async (t) => {
  const bedrock = client(t, await start(t, "--tokens", "3"));
  const response = await ask(bedrock);
  assert.deepEqual(await read(response), [...THREE_TOKENS, "contentBlockStop", "messageStop", "metadata"]);
  assert.equal(bedrock.config.requestHandler.metadata.handlerProtocol, "h2");
  assert.match(response.$metadata.requestId, /^[0-9a-f-]{36}$/);
});

test("one connection carries several replies at once", async (t) => {
  const bedrock = client(t, await start(t, "--tokens", "20"));
  const replies = await Promise.all(Array.from({ length: 8 }, async () => read(await ask(bedrock))));
  for (const events of replies) {
    assert.equal(events.filter((event) => event === "contentBlockDelta").length, 20);
    assert.equal(events.at(-1), "metadata");
  }
});

for (const [fault, name, status] of [
  ["throttle", "ThrottlingException", 429],
  ["not-ready", "ModelNotReadyException", 429],
  ["500", "InternalServerException", 500],
  ["503", "ServiceUnavailableException", 503],
  ["model-error", "ModelErrorException", 424],
  ["model-timeout", "ModelTimeoutException", 408],
  ["validation", "ValidationException", 400],
  ["access-denied", "AccessDeniedException", 403],
  ["not-found", "ResourceNotFoundException", 404],
]) {
  test(`the fault ${fault} is refused as ${name}`, async (t) => {
    const bedrock = client(t, await start(t, "--fault", fault));
    await assert.rejects(ask(bedrock), (error) => {
      assert.deepEqual([error.name, error.$metadata.httpStatusCode], [name, status]);
      assert.ok(error.message);
      return true;
    });
  });
}

test("a throttle is tried three times, as the SDK does by itself", async (t) => {
  const bedrock = client(t, await start(t, "--fault", "throttle"), { maxAttempts: undefined });
  await assert.rejects(ask(bedrock), (error) => error.name === "ThrottlingException" && error.$metadata.attempts === 3);
});

for (const kind of [
  "internalServerException",
  "modelStreamErrorException",
  "validationException",
  "throttlingException",
  "serviceUnavailableException",
]) {
  test(`${kind} in mid-stream is thrown after the tokens before it`, async (t) => {
    const bedrock = client(t, await start(t, "--fault", `exception:${kind}@3`));
    const seen = [];
    const name = kind[0].toUpperCase() + kind.slice(1);
    await assert.rejects(async () => read(await ask(bedrock), seen), { name });
    assert.deepEqual(seen, THREE_TOKENS);
  });
}

// Over HTTP/2 Node.js ends a stream quietly when its connection is closed, and so does the SDK.
for (const fault of ["drop@3", "truncate@3"]) {
  test(`the fault ${fault} is told by the missing messageStop alone`, async (t) => {
    const bedrock = client(t, await start(t, "--fault", fault));
    assert.deepEqual(await read(await ask(bedrock)), THREE_TOKENS);
  });
}

// Which of the two it is depends on whether the reset overtakes the end of the stream.
test("the fault reset@3 is thrown, or told by the missing messageStop", async (t) => {
  const bedrock = client(t, await start(t, "--fault", "reset@3"));
  const seen = [];
  try {
    await read(await ask(bedrock), seen);
  } catch (error) {
    assert.equal(error.code, "ECONNRESET");
  }
  assert.deepEqual(seen, THREE_TOKENS.slice(0, seen.length));
});

for (const [fault, message] of [
  ["truncate-frame@3", /^Truncated event message received/],
  ["corrupt@3", /^The message checksum .* did not match/],
  ["corrupt-prelude@3", /^The prelude checksum .* does not match/],
]) {
  test(`the fault ${fault} is thrown after the tokens before it`, async (t) => {
    const bedrock = client(t, await start(t, "--fault", fault));
    const seen = [];
    await assert.rejects(async () => read(await ask(bedrock), seen), { message });
    assert.deepEqual(seen, THREE_TOKENS);
  });
}

for (const fault of ["unknown-event@2", "reasoning@2", "tool-use@2", "bytewise", "coalesced"]) {
  test(`a reply with the fault ${fault} has the same text`, async (t) => {
    const bedrock = client(t, await start(t, "--tokens", "5", "--fault", fault));
    const texts = [];
    let last;
    for await (const event of (await ask(bedrock)).stream) {
      texts.push(event.contentBlockDelta?.delta.text);
      last = Object.keys(event)[0];
    }
    assert.deepEqual([texts.join(""), last], ["This reply is scripted: there ", "metadata"]);
  });
}

test("a reply that is broken off by its reader leaves the connection fit for the next", async (t) => {
  const bedrock = client(t, await start(t, "--tokens", "1000"));
  for (let attempt = 0; attempt < 3; attempt++) {
    const events = (await ask(bedrock)).stream[Symbol.asyncIterator]();
    for (const expected of THREE_TOKENS) {
      assert.equal(Object.keys((await events.next()).value)[0], expected);
    }
    await events.return();
  }
});

test("a stalled reply that is aborted ends at once, without its end", async (t) => {
  const bedrock = client(t, await start(t, "--fault", "stall@3"));
  const abort = new AbortController();
  const response = await ask(bedrock, { abortSignal: abort.signal });
  const seen = [];
  for await (const event of response.stream) {
    seen.push(Object.keys(event)[0]);
    if (seen.length === THREE_TOKENS.length) {
      abort.abort();
    }
  }
  assert.deepEqual(seen, THREE_TOKENS);
});

for (const [what, options, name, message] of [
  [
    "another secret",
    { credentials: { ...CREDENTIALS, secretAccessKey: "guess" } },
    "InvalidSignatureException",
    /^The request signature we calculated does not match/,
  ],
  [
    "an unknown key",
    { credentials: { ...CREDENTIALS, accessKeyId: "AKIASOMEONE" } },
    "UnrecognizedClientException",
    /security token included in the request is invalid/,
  ],
  [
    "another session token",
    { credentials: { ...CREDENTIALS, sessionToken: "stale" } },
    "UnrecognizedClientException",
    /security token included in the request is invalid/,
  ],
  ["another region", { region: "eu-west-1" }, "InvalidSignatureException", /scoped to a valid region/],
  [
    "a clock that is ten minutes late",
    { systemClockOffset: -600_000 },
    "InvalidSignatureException",
    /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/,
  ],
  [
    "a clock that is ten minutes early",
    { systemClockOffset: 600_000 },
    "InvalidSignatureException",
    /^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ 5 min\.\)$/,
  ],
]) {
  test(`${what} is refused as ${name}`, async (t) => {
    const bedrock = client(t, await start(t), options);
    await assert.rejects(ask(bedrock), (error) => {
      assert.deepEqual([error.name, error.$metadata.httpStatusCode], [name, 403]);
      assert.match(error.message, message);
      return true;
    });
  });
}

test("a wrong clock is set right by the SDK's own second attempt", async (t) => {
  const bedrock = client(t, await start(t), { systemClockOffset: -600_000, maxAttempts: 2 });
  const response = await ask(bedrock);
  assert.equal(response.$metadata.attempts, 2);
  assert.equal((await read(response)).at(-1), "metadata");
});

test("an API key is a bearer token", async (t) => {
  const endpoint = await start(t, "--bearer-token", "bedrock-api-key-1");
  const bearer = (token) => client(t, endpoint, { token: { token }, authSchemePreference: ["httpBearerAuth"] });
  assert.equal((await read(await ask(bearer("bedrock-api-key-1")))).at(-1), "metadata");
  await assert.rejects(ask(bearer("bedrock-api-key-2")), {
    name: "AccessDeniedException",
    message: "Authentication failed: Please make sure your API Key is valid.",
  });
});
