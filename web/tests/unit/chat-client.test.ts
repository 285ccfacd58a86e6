import { createHash } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { describe, expect, it, vi } from "vitest";
import { type ReplyEnd, streamReply } from "../../src/chat-client.ts";
import { replyBytes } from "../support/fixtures.ts";
import { serve } from "../support/server.ts";

interface Asked {
  readonly end: ReplyEnd;
  readonly text: string;
  readonly tokens: number;
  readonly modeStarted: string | undefined;
}

interface AskOptions {
  readonly silenceMs?: number;
  readonly signal?: AbortSignal;
  readonly key?: string;
  readonly onToken?: () => void;
}

async function ask(listener: RequestListener, options: AskOptions = {}): Promise<Asked> {
  await using server = await serve(listener);
  const tokens: string[] = [];
  let modeStarted: string | undefined;
  const end = await streamReply(
    { messages: [{ role: "user", content: "Yo" }] },
    {
      start: ({ mode }) => {
        modeStarted = mode;
      },
      token: (text) => {
        tokens.push(text);
        options.onToken?.();
      },
    },
    {
      url: `${server.url}/api/chat`,
      signal: options.signal ?? new AbortController().signal,
      silenceMs: options.silenceMs ?? 5_000,
      key: options.key,
    },
  );
  return { end, text: tokens.join(""), tokens: tokens.length, modeStarted };
}

function reply(name: string): RequestListener {
  return (_, response) => {
    startStream(response).end(replyBytes(name));
  };
}

function startStream(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { "content-type": "text/event-stream" });
}

function answer(status: number, headers: Record<string, string>, body: string): RequestListener {
  return (_, response) => {
    response.writeHead(status, headers).end(body);
  };
}

const PROBLEM = { "content-type": "application/problem+json" };

describe("a reply", () => {
  it("comes token by token and ends with what it took", async () => {
    const { end, text, tokens, modeStarted } = await ask(reply("plain"));
    expect(modeStarted).toBe("bro");
    expect(tokens).toBe(4);
    expect(text).toBe("Yo! Red, green and blue.");
    expect(end).toEqual({
      kind: "done",
      done: {
        stopReason: "end_turn",
        inputTokens: 61,
        outputTokens: 9,
        ttftMs: 212.4,
        totalMs: 418.9,
      },
    });
  });

  it("keeps every character, whatever the text holds", async () => {
    const { text } = await ask(reply("hostile-text"));
    expect(text).toBe(
      'data: not a field\n\nevent: done\na\rb\r\nc\td\u0000e\u2028\u2029"quotes" and \\ and </script>',
    );
  });

  it("may lack its usage", async () => {
    const { end } = await ask(reply("no-usage"));
    expect(end).toMatchObject({ kind: "done", done: { outputTokens: undefined } });
  });

  it("may come without a token, and then has no time to one", async () => {
    const { end, tokens } = await ask(reply("no-token"));
    expect(tokens).toBe(0);
    expect(end).toMatchObject({ kind: "done", done: { ttftMs: undefined } });
  });

  it("is done with its done event, though the server keeps the body open", async () => {
    const { end } = await ask((_, response) => {
      startStream(response).write(replyBytes("plain"));
    });
    expect(end.kind).toBe("done");
  });

  it("passes over events it does not know", async () => {
    const { end, text } = await ask(reply("unknown-event"));
    expect(end.kind).toBe("done");
    expect(text).toBe("Yo.");
  });

  it("asks with JSON for an event stream", async () => {
    let request: IncomingMessage | undefined;
    let body = "";
    await ask((incoming, response) => {
      request = incoming;
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk) => {
        body += chunk;
      });
      incoming.on("end", () => reply("plain")(incoming, response as never));
    });
    expect(request?.method).toBe("POST");
    expect(request?.headers["content-type"]).toBe("application/json");
    expect(request?.headers.accept).toBe("text/event-stream");
    expect(JSON.parse(body)).toEqual({ messages: [{ role: "user", content: "Yo" }] });
    const hash = createHash("sha256").update(body).digest("hex");
    expect(request?.headers["x-amz-content-sha256"]).toBe(hash);
    expect(request?.headers).not.toHaveProperty("x-api-key");
  });

  it("is asked for with the key that the page has, and without a hash where there is no crypto", async () => {
    let headers: IncomingMessage["headers"] = {};
    vi.stubGlobal("crypto", {});
    const { end } = await ask(
      (incoming, response) => {
        headers = incoming.headers;
        reply("plain")(incoming, response as never);
      },
      { key: "k-1" },
    );
    vi.unstubAllGlobals();
    expect(end.kind).toBe("done");
    expect(headers["x-api-key"]).toBe("k-1");
    expect(headers).not.toHaveProperty("x-amz-content-sha256");
    expect(headers).not.toHaveProperty("authorization");
  });
});

describe("a reply that breaks", () => {
  it("with an error event has failed, and keeps what had come", async () => {
    const { end, text } = await ask(reply("error"));
    expect(text).toBe("Well, the first thing");
    expect(end).toMatchObject({
      kind: "failed",
      failure: { code: "stream_interrupted", retryable: true, retryAfterSeconds: undefined },
    });
  });

  it("with an error event may say how long to wait", async () => {
    const { end } = await ask(reply("error-first"));
    expect(end).toMatchObject({ failure: { code: "throttled", retryAfterSeconds: 2 } });
  });

  it.each(["cut", "cut-mid-event"])("without a terminal event is cut (%s)", async (name) => {
    const { end, text } = await ask(reply(name));
    expect(end).toEqual({ kind: "cut" });
    expect(text).toBe("Once upon a time");
  });

  it("because the connection dropped is cut", async () => {
    const { end, text } = await ask((_, response) => {
      startStream(response).write(replyBytes("cut"), () => response.destroy());
    });
    expect(end).toEqual({ kind: "cut" });
    expect(text).toBe("Once upon a time");
  });

  it("by going silent has failed once the patience is over", async () => {
    const { end, text } = await ask(
      (_, response) => {
        startStream(response).write(replyBytes("cut"));
      },
      { silenceMs: 150 },
    );
    expect(end).toMatchObject({ kind: "failed", failure: { code: "stalled", retryable: true } });
    expect(text).toBe("Once upon a time");
  });

  it("is not silent while comments come", async () => {
    let comments = 0;
    const { end } = await ask(
      (_, response) => {
        startStream(response).write(replyBytes("cut"));
        const timer = setInterval(() => {
          comments += 1;
          if (comments < 10) response.write(": keep-alive\n\n");
          else {
            clearInterval(timer);
            response.end(replyBytes("plain"));
          }
        }, 60);
      },
      { silenceMs: 500 },
    );
    expect(end.kind).toBe("done");
  });

  it("with data that is not the contract's has failed", async () => {
    const { end } = await ask((_, response) => {
      startStream(response).write("event: token\ndata: {oops\n\n");
    });
    expect(end).toMatchObject({ kind: "failed", failure: { code: "unreadable" } });
  });
});

describe("stopping", () => {
  it("in the middle ends the request and keeps what had come", async () => {
    const stop = new AbortController();
    let gone: Promise<unknown> | undefined;
    const { end, text } = await ask(
      (_, response) => {
        gone = new Promise((resolve) => response.on("close", resolve));
        startStream(response).write(replyBytes("cut"));
      },
      { signal: stop.signal, onToken: () => stop.abort() },
    );
    expect(end).toEqual({ kind: "stopped" });
    expect(text).toContain("Once upon");
    await gone;
  });

  it("works before the server has answered", async () => {
    const stop = new AbortController();
    const { end } = await ask(() => stop.abort(), { signal: stop.signal });
    expect(end).toEqual({ kind: "stopped" });
  });
});

describe("no reply", () => {
  it("for a problem document says its detail, code and request", async () => {
    const body = JSON.stringify({
      type: "about:blank",
      title: "Too many requests",
      status: 429,
      detail: "The model is busy. Please try again in a moment.",
      code: "throttled",
      request_id: "r-1",
    });
    const { end } = await ask(answer(429, { ...PROBLEM, "retry-after": "2" }, body));
    expect(end).toEqual({
      kind: "failed",
      failure: {
        code: "throttled",
        message: "The model is busy. Please try again in a moment.",
        retryable: true,
        retryAfterSeconds: 2,
        requestId: "r-1",
      },
    });
  });

  it.each([
    { status: 400, retryable: false },
    { status: 500, retryable: true },
    { status: 502, retryable: false },
    { status: 503, retryable: true },
    { status: 504, retryable: true },
  ])("for a problem of status $status: retryable is $retryable", async ({ status, retryable }) => {
    const body = JSON.stringify({ detail: "So it is.", code: "some_code" });
    const { end } = await ask(answer(status, PROBLEM, body));
    expect(end).toMatchObject({ kind: "failed", failure: { message: "So it is.", retryable } });
  });

  it.each([
    { by: "CloudFront", status: 403, body: "<html>Request blocked.</html>", retryable: false },
    { by: "the function URL", status: 429, body: '{"Reason":"ConcurrentInv…"}', retryable: true },
    { by: "Lambda", status: 502, body: "Internal Server Error", retryable: true },
  ])("for $by's own $status speaks for a person, not the platform", async (platform) => {
    const { end } = await ask(
      answer(platform.status, { "content-type": "text/html" }, platform.body),
    );
    const failure = end.kind === "failed" ? end.failure : undefined;
    expect(failure?.code).toBe(`http_${platform.status}`);
    expect(failure?.retryable).toBe(platform.retryable);
    expect(failure?.message).toMatch(/^[A-Z][^<{]+\.$/);
  });

  it("for a missing key says so in words", async () => {
    const body = JSON.stringify({ detail: "no key", code: "unauthorized" });
    const { end } = await ask(answer(401, PROBLEM, body));
    expect(end).toMatchObject({
      failure: { code: "unauthorized", retryable: true, message: expect.stringContaining("key") },
    });
  });

  it("when something else answers, such as a hotel's log-in page", async () => {
    const { end } = await ask(answer(200, { "content-type": "text/html" }, "<h1>Welcome</h1>"));
    expect(end).toMatchObject({ kind: "failed", failure: { code: "not_a_stream" } });
  });

  it("when nobody is there", async () => {
    const { end } = await ask((request) => request.socket.destroy());
    expect(end).toMatchObject({
      kind: "failed",
      failure: { code: "unreachable", retryable: true },
    });
  });

  it("when the server never answers", async () => {
    const { end } = await ask(() => undefined, { silenceMs: 150 });
    expect(end).toMatchObject({ kind: "failed", failure: { code: "stalled" } });
  });
});
