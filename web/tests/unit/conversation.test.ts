import { describe, expect, it } from "vitest";
import type { ReplyEnd } from "../../src/chat-client.ts";
import { parseQuestion, requestFor, type Turn } from "../../src/conversation.ts";
import {
  countChars,
  MAX_BODY_BYTES,
  MAX_MESSAGE_CHARS,
  MAX_MESSAGES,
  MAX_TOTAL_CHARS,
} from "../../src/limits.ts";

function doneWith(stopReason: string): ReplyEnd {
  return {
    kind: "done",
    done: {
      stopReason,
      inputTokens: undefined,
      outputTokens: undefined,
      ttftMs: undefined,
      totalMs: undefined,
    },
  };
}

const DONE = doneWith("end_turn");
const FAILED: ReplyEnd = {
  kind: "failed",
  failure: {
    code: "stream_stalled",
    message: "",
    retryable: true,
    retryAfterSeconds: undefined,
    requestId: undefined,
  },
};

function turn(question: string, reply: string, end: ReplyEnd = DONE): Turn {
  return { question, reply, end };
}

function contents(turns: readonly Turn[], question: string): string[] {
  return requestFor(turns, question, "bro").messages.map(({ content }) => content);
}

describe("a request", () => {
  it("takes the conversation along, roles alternating, first and last from the reader", () => {
    const request = requestFor([turn("Yo", "Yo!"), turn("Red?", "Red.")], "Blue?", "bro");
    expect(request).toEqual({
      messages: [
        { role: "user", content: "Yo" },
        { role: "assistant", content: "Yo!" },
        { role: "user", content: "Red?" },
        { role: "assistant", content: "Red." },
        { role: "user", content: "Blue?" },
      ],
      mode: "bro",
    });
  });

  it("leaves the mode to the server when the page knows none", () => {
    expect(requestFor([], "Yo", undefined)).toEqual({
      messages: [{ role: "user", content: "Yo" }],
    });
  });

  it.each([
    ["a reply that failed in the middle", turn("b", "half", FAILED)],
    ["a reply that failed before a word", turn("b", "", FAILED)],
    ["a reply that was cut", turn("b", "half", { kind: "cut" })],
    ["a reply that was stopped before a word", turn("b", "", { kind: "stopped" })],
    ["a blank reply", turn("b", " \n")],
    ["what a guardrail refused", turn("b", "No.", doneWith("guardrail_intervened"))],
    ["what a content filter refused", turn("b", "No.", doneWith("content_filtered"))],
  ])("leaves out %s, with its question", (_, left) => {
    expect(contents([turn("a", "A"), left], "c")).toEqual(["a", "A", "c"]);
  });

  it.each([
    ["a reply cut at the token limit", turn("b", "long", doneWith("max_tokens"))],
    ["what came before the reader stopped it", turn("b", "half", { kind: "stopped" })],
  ])("keeps %s", (_, kept) => {
    expect(contents([kept], "c")).toEqual([kept.question, kept.reply, "c"]);
  });
});

describe("the limits of a request", () => {
  it("are kept by forgetting the oldest turns: 20 messages, so 9 turns and the question", () => {
    const turns = Array.from({ length: 15 }, (_, n) => turn(`q${n}`, `r${n}`));
    const sent = contents(turns, "now");
    expect(sent).toHaveLength(19);
    expect(sent[0]).toBe("q6");
    expect(sent.at(-1)).toBe("now");
  });

  it("clip a reply longer than one message may be", () => {
    const [, reply] = contents([turn("q", "😀".repeat(MAX_MESSAGE_CHARS + 1))], "now");
    expect(reply).toBe("😀".repeat(MAX_MESSAGE_CHARS));
  });

  // A generator of its own, with its seed in the test's name, so that a failure can be replayed.
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("hold for any conversation (seed %i)", (seed) => {
    const random = mulberry32(seed);
    const alphabet = ["a", "é", "日", "😀", "\n", '"', "\u0001", "\ud800"];
    const text = () =>
      (alphabet[Math.floor(random() * alphabet.length)] ?? "a").repeat(
        Math.floor(random() ** 3 * 5_000) + 1,
      );
    for (let round = 0; round < 25; round += 1) {
      const turns = Array.from({ length: Math.floor(random() * 25) }, () =>
        turn(parseQuestion(text()) ?? "q", text().toWellFormed()),
      );
      const request = requestFor(turns, parseQuestion(text()) ?? "q", "bro");
      const { messages } = request;
      expect(messages.length).toBeLessThanOrEqual(MAX_MESSAGES);
      expect(messages.map(({ role }) => role)).toEqual(
        messages.map((_, index) => (index % 2 === 0 ? "user" : "assistant")),
      );
      expect(messages.at(-1)?.role).toBe("user");
      const lengths = messages.map(({ content }) => countChars(content));
      expect(Math.max(...lengths)).toBeLessThanOrEqual(MAX_MESSAGE_CHARS);
      expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(MAX_TOTAL_CHARS);
      expect(messages.every(({ content }) => content.trim() !== "")).toBe(true);
      expect(Buffer.byteLength(JSON.stringify(request))).toBeLessThanOrEqual(MAX_BODY_BYTES);
    }
  });
});

describe("a question", () => {
  it("is trimmed", () => expect(parseQuestion("  Yo\n")).toBe("Yo"));
  it("may not be blank", () => expect(parseQuestion(" \n\t")).toBeUndefined());

  it("is as long as its characters, an emoji being one", () => {
    expect(parseQuestion("😀".repeat(MAX_MESSAGE_CHARS))).toBeDefined();
    expect(parseQuestion("😀".repeat(MAX_MESSAGE_CHARS + 1))).toBeUndefined();
  });

  it("loses half characters, which no JSON reader takes", () => {
    expect(parseQuestion("a\ud83d")).toBe("a\ufffd");
  });
});

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
