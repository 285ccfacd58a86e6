import { asNumber, asObject, asString, parseObject } from "./json.ts";

// The events of a reply, as `POST /api/chat` streams them: `start`, any number of `token`, and exactly
// one of `done` and `error`.

export interface Start {
  readonly id: string;
  readonly model: string;
  readonly mode: string;
  /** The output limit in tokens; undefined if the server did not say. */
  readonly maxTokens: number | undefined;
}

export interface Done {
  /** Bedrock's word: `end_turn`, `max_tokens`, `guardrail_intervened`, … */
  readonly stopReason: string;
  readonly outputTokens: number | undefined;
  readonly inputTokens: number | undefined;
  /** Milliseconds to the first token, undefined for a reply without one. */
  readonly ttftMs: number | undefined;
  readonly totalMs: number | undefined;
}

/** Why there is no reply, or no more of it. */
export interface Failure {
  readonly code: string;
  /** For a person. */
  readonly message: string;
  readonly retryable: boolean;
  /** How long to wait before asking again. */
  readonly retryAfterSeconds: number | undefined;
  readonly requestId: string | undefined;
}

export type ChatEvent =
  | { readonly kind: "start"; readonly start: Start }
  | { readonly kind: "token"; readonly text: string }
  | { readonly kind: "done"; readonly done: Done }
  | { readonly kind: "error"; readonly failure: Failure };

/** An event of a known name whose data is not what the contract says. */
export class UnreadableEvent extends Error {
  override readonly name = "UnreadableEvent";
}

/** Undefined for an event this page does not know: a later server may add some. */
export function parseChatEvent(event: string, data: string): ChatEvent | undefined {
  const parse = PARSERS.get(event);
  if (parse === undefined) return undefined;
  const parsed = parse(data);
  if (parsed === undefined) throw new UnreadableEvent(`the data of a "${event}" event`);
  return parsed;
}

const PARSERS: ReadonlyMap<string, (data: string) => ChatEvent | undefined> = new Map([
  ["start", parseStart],
  ["token", parseToken],
  ["done", parseDone],
  ["error", parseError],
]);

function parseStart(data: string): ChatEvent | undefined {
  const object = parseObject(data);
  const id = asString(object?.id);
  const mode = asString(object?.mode);
  if (object === undefined || id === undefined || mode === undefined) return undefined;
  const maxTokens = asNumber(asObject(object.limits)?.max_tokens);
  return { kind: "start", start: { id, mode, model: asString(object.model) ?? "", maxTokens } };
}

function parseToken(data: string): ChatEvent | undefined {
  const text = asString(parseObject(data)?.text);
  return text === undefined ? undefined : { kind: "token", text };
}

function parseDone(data: string): ChatEvent | undefined {
  const object = parseObject(data);
  const stopReason = asString(object?.stop_reason);
  if (object === undefined || stopReason === undefined) return undefined;
  const usage = asObject(object.usage);
  const timing = asObject(object.timing);
  return {
    kind: "done",
    done: {
      stopReason,
      inputTokens: asNumber(usage?.input_tokens),
      outputTokens: asNumber(usage?.output_tokens),
      ttftMs: asNumber(timing?.ttft_ms),
      totalMs: asNumber(timing?.total_ms),
    },
  };
}

function parseError(data: string): ChatEvent | undefined {
  const object = parseObject(data);
  const code = asString(object?.code);
  const message = asString(object?.message);
  if (object === undefined || code === undefined || message === undefined) return undefined;
  return {
    kind: "error",
    failure: {
      code,
      message,
      retryable: object.retryable === true,
      retryAfterSeconds: asNumber(object.retry_after),
      requestId: asString(object.request_id),
    },
  };
}
