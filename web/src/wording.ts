import type { ReplyEnd } from "./chat-client.ts";
import type { Done } from "./chat-events.ts";

/** A remark under a reply that is not simply complete. */
export interface Note {
  /** `problem`: something went wrong. `remark`: nothing did, but the reader should know. */
  readonly tone: "problem" | "remark";
  readonly text: string;
}

export interface ReplyFacts {
  /** The output limit the reply was made under. */
  readonly maxTokens: number | undefined;
  /** Whether nothing came. */
  readonly empty: boolean;
}

export function noteFor(end: ReplyEnd, facts: ReplyFacts): Note | undefined {
  switch (end.kind) {
    case "done":
      return noteForStopReason(end.done.stopReason, facts);
    case "failed":
      return { tone: "problem", text: end.failure.message };
    case "cut":
      return {
        tone: "problem",
        text: facts.empty
          ? "The line dropped before a word of the reply came."
          : "The line dropped: this reply is cut off.",
      };
    case "stopped":
      return { tone: "remark", text: "Stopped." };
  }
}

function noteForStopReason(reason: string, { maxTokens, empty }: ReplyFacts): Note | undefined {
  switch (reason) {
    case "end_turn":
    case "stop_sequence":
      return empty ? { tone: "remark", text: "The model had nothing to say." } : undefined;
    case "max_tokens":
      return {
        tone: "remark",
        text:
          maxTokens === undefined
            ? "Cut at the length limit."
            : `Cut at the ${maxTokens}-token limit.`,
      };
    case "guardrail_intervened":
      return { tone: "remark", text: "A guardrail stepped in here." };
    case "content_filtered":
      return { tone: "remark", text: "A content filter stepped in here." };
    case "model_context_window_exceeded":
      return {
        tone: "remark",
        text: "This conversation has grown too long for the model. Start a new chat.",
      };
    default:
      return { tone: "remark", text: `The model stopped early (${reason}).` };
  }
}

/** What a finished reply took, for the curious: "0.31 s to first token · 1.8 s in all · 42 tokens". */
export function timingLine({ ttftMs, totalMs, outputTokens }: Done): string {
  return [
    ttftMs === undefined ? undefined : `${seconds(ttftMs)} to first token`,
    totalMs === undefined ? undefined : `${seconds(totalMs)} in all`,
    outputTokens === undefined
      ? undefined
      : `${outputTokens} ${outputTokens === 1 ? "token" : "tokens"}`,
  ]
    .filter((part) => part !== undefined)
    .join(" · ");
}

/** Milliseconds to two significant digits, at most two after the point. */
export function seconds(ms: number): string {
  if (ms < 10) return `${Math.max(0, Math.round(ms))} ms`;
  const value = ms / 1000;
  return `${value.toFixed(value < 1 ? 2 : 1)} s`;
}
