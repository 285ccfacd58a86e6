import type { ChatRequest, Message, ReplyEnd } from "./chat-client.ts";
import {
  countChars,
  MAX_BODY_BYTES,
  MAX_MESSAGE_CHARS,
  MAX_MESSAGES,
  MAX_TOTAL_CHARS,
} from "./limits.ts";

/** One question and what became of it. */
export interface Turn {
  readonly question: string;
  /** All the text that came, whole or not. */
  readonly reply: string;
  readonly end: ReplyEnd;
}

/** What may be asked: neither blank nor too long, and without the half characters JSON cannot carry. */
export function parseQuestion(text: string): string | undefined {
  const question = text.toWellFormed().trim();
  return question !== "" && countChars(question) <= MAX_MESSAGE_CHARS ? question : undefined;
}

/**
 * The request for the next question: it, after as many of the latest turns as the limits allow. Turns
 * go in whole, so that the roles alternate, and the oldest are left out first.
 */
export function requestFor(
  turns: readonly Turn[],
  question: string,
  mode: string | undefined,
): ChatRequest {
  const build = (messages: readonly Message[]): ChatRequest => ({
    messages,
    ...(mode === undefined ? {} : { mode }),
  });
  let messages: readonly Message[] = [{ role: "user", content: question }];
  for (const turn of turns.toReversed()) {
    if (!belongsToHistory(turn)) continue;
    const longer: readonly Message[] = [
      { role: "user", content: turn.question },
      { role: "assistant", content: clip(turn.reply) },
      ...messages,
    ];
    if (!fits(longer, build(longer))) break;
    messages = longer;
  }
  return build(messages);
}

/**
 * Only what was really said between the two: a reply that failed or was cut says something its author
 * never finished, and a question that a guardrail refused would have every later one refused as well.
 */
function belongsToHistory({ reply, end }: Turn): boolean {
  if (reply.trim() === "") return false;
  if (end.kind === "done") return !REFUSALS.has(end.done.stopReason);
  return end.kind === "stopped";
}

const REFUSALS: ReadonlySet<string> = new Set(["guardrail_intervened", "content_filtered"]);

function clip(text: string): string {
  return countChars(text) <= MAX_MESSAGE_CHARS
    ? text
    : Array.from(text).slice(0, MAX_MESSAGE_CHARS).join("");
}

function fits(messages: readonly Message[], request: ChatRequest): boolean {
  const chars = messages.reduce((sum, { content }) => sum + countChars(content), 0);
  return (
    messages.length <= MAX_MESSAGES &&
    chars <= MAX_TOTAL_CHARS &&
    new TextEncoder().encode(JSON.stringify(request)).length <= MAX_BODY_BYTES
  );
}
