import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { replyBytes } from "./fixtures.ts";
import { serve, type TestServer } from "./server.ts";

const DIST = new URL("../../dist/", import.meta.url);

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
};

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export const MODES = {
  modes: [
    { id: "bro", label: "Bro", description: "Laid-back and warm, like a mate on the sofa." },
    { id: "coach", label: "Coach", description: "Brisk and upbeat: one next step, right now." },
    { id: "pro", label: "Pro", description: "Plain and precise, for work." },
    { id: "poet", label: "Poet", description: "Says it in pictures." },
  ],
  default: "bro",
  limits: { max_tokens: 150, temperature: 0.3 },
  policy: "2026-11-22.1",
};

/** The key that opens "locked". */
export const KEY = "open-sesame";

/**
 * The built page in front of scripted replies, sent with the headers that Bro-Buddy sends. What is
 * asked chooses the reply: "cut", "error", "throttled", "platform", "locked" name faults, "long" runs
 * until it is stopped, and all else is answered at a readable pace. As CloudFront does, it lets nothing
 * through whose body is not that of its `x-amz-content-sha256`.
 */
export function serveScriptedPage(): Promise<TestServer> {
  return serve((request, response) => {
    respond(request, response).catch(() => response.destroy());
  });
}

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? "/", "http://page").pathname;
  if (path === "/api/modes") {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(MODES));
  } else if (path === "/api/chat") {
    await reply(request, response);
  } else if (path === "/" || path.startsWith("/assets/")) {
    const file = path === "/" ? "index.html" : path.slice(1);
    const body = await readFile(new URL(file, DIST));
    const type = CONTENT_TYPES[extname(file)] ?? "application/octet-stream";
    response
      .writeHead(200, { "content-type": type, "content-security-policy": CONTENT_SECURITY_POLICY })
      .end(body);
  } else {
    response.writeHead(404).end();
  }
}

async function reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyText(request);
  const hash = createHash("sha256").update(body).digest("hex");
  if (request.headers["x-amz-content-sha256"] !== hash) {
    response.writeHead(403, { "content-type": "text/html" }).end("<html>Forbidden</html>");
    return;
  }
  const { messages, mode } = JSON.parse(body);
  const question: string = messages.at(-1).content;
  switch (question) {
    case "throttled":
      response
        .writeHead(429, { "content-type": "application/problem+json", "retry-after": "2" })
        .end(JSON.stringify({ code: "throttled", detail: "The model is busy. Give it a moment." }));
      return;
    case "locked":
      if (request.headers["x-api-key"] === KEY) {
        await stream(response, mode ?? MODES.default, ["Come", " in."]);
      } else {
        response
          .writeHead(401, { "content-type": "application/problem+json" })
          .end(JSON.stringify({ code: "unauthorized", detail: "A key is needed." }));
      }
      return;
    case "platform":
      response.writeHead(502, { "content-type": "application/json" }).end('{"message":null}');
      return;
    case "cut":
    case "error":
    case "guardrail":
    case "max-tokens":
      response.writeHead(200, { "content-type": "text/event-stream" }).end(replyBytes(question));
      return;
    default:
      await stream(response, mode ?? MODES.default, wordsFor(question));
  }
}

async function stream(response: ServerResponse, mode: string, words: Iterable<string>) {
  const send = (event: string, data: unknown) =>
    response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  response.writeHead(200, { "content-type": "text/event-stream" });
  send("start", { id: "r-1", model: "scripted", mode, policy: MODES.policy, limits: MODES.limits });
  let tokens = 0;
  for (const text of words) {
    await pause(30);
    if (response.destroyed) return;
    send("token", { text });
    tokens += 1;
  }
  send("done", {
    stop_reason: "end_turn",
    usage: { input_tokens: 61, output_tokens: tokens, total_tokens: 61 + tokens },
    timing: { ttft_ms: 212.4, total_ms: 30 * tokens + 200, bedrock_ms: 30 * tokens, phases: {} },
  });
  response.end();
}

function* wordsFor(question: string): Generator<string> {
  if (question === "long") {
    for (let line = 1; line <= 2_000; line += 1) yield `Line ${line} of many.\n\n`;
  }
  yield* ANSWER.match(/\s*\S+/g) ?? [];
}

const ANSWER = `Oh, easy one. Three colours that get along like old mates:

1. **Forest green** – calm, never shouts.
2. **Mustard** – the loud one, in small doses.
3. **Cream** – keeps the peace between the two.

Put them in a room with \`#f6f2e9\` walls and you are *done*. More at [Wikipedia](https://en.wikipedia.org/wiki/Color_scheme).`;

async function bodyText(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}
