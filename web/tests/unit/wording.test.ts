import { describe, expect, it } from "vitest";
import type { Done } from "../../src/chat-events.ts";
import { parseRetryAfter } from "../../src/http-failure.ts";
import { noteFor, seconds, timingLine } from "../../src/wording.ts";

const DONE: Done = {
  stopReason: "end_turn",
  inputTokens: 61,
  outputTokens: 42,
  ttftMs: 312.4,
  totalMs: 1_812,
};

function noteForStop(stopReason: string, maxTokens: number | undefined = 150) {
  const end = { kind: "done", done: { ...DONE, stopReason } } as const;
  return noteFor(end, { maxTokens, empty: false })?.text;
}

describe("under a finished reply", () => {
  it("stands what it took", () => {
    expect(timingLine(DONE)).toBe("0.31 s to first token · 1.8 s in all · 42 tokens");
  });

  it("stands only what is known", () => {
    expect(timingLine({ ...DONE, ttftMs: undefined, outputTokens: 1 })).toBe(
      "1.8 s in all · 1 token",
    );
  });

  it.each([
    ["end_turn", undefined],
    ["stop_sequence", undefined],
    ["max_tokens", "Cut at the 150-token limit."],
    ["guardrail_intervened", "A guardrail stepped in here."],
    ["content_filtered", "A content filter stepped in here."],
    ["something_new", "The model stopped early (something_new)."],
  ])("the stop reason %s reads %j", (reason, text) => {
    expect(noteForStop(reason)).toBe(text);
  });

  it("an empty reply is owned up to", () => {
    const note = noteFor({ kind: "done", done: DONE }, { maxTokens: 150, empty: true });
    expect(note?.text).toBe("The model had nothing to say.");
  });
});

it.each([
  [0.4, "0 ms"],
  [9.4, "9 ms"],
  [10, "0.01 s"],
  [994, "0.99 s"],
  [1_000, "1.0 s"],
  [12_345, "12.3 s"],
])("%d milliseconds read %s", (ms, text) => expect(seconds(ms)).toBe(text));

describe("Retry-After", () => {
  const now = Date.parse("2026-11-22T12:00:00Z");

  it.each([
    ["2", 2],
    [" 5 ", 5],
    ["Sun, 22 Nov 2026 12:00:30 GMT", 30],
    ["Sun, 22 Nov 2026 11:00:00 GMT", 0],
    ["soon", undefined],
    ["", undefined],
    [null, undefined],
  ])("%j means %j seconds", (value, wait) => expect(parseRetryAfter(value, now)).toBe(wait));
});
