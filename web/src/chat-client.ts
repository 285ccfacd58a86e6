import {
  type Done,
  type Failure,
  parseChatEvent,
  type Start,
  UnreadableEvent,
} from "./chat-events.ts";
import { contentHash } from "./content-hash.ts";
import { failureFromResponse } from "./http-failure.ts";
import { readEvents, SseEventTooLarge, type SseItem } from "./sse.ts";

export interface Message {
  readonly role: "user" | "assistant";
  readonly content: string;
}

export interface ChatRequest {
  readonly messages: readonly Message[];
  /** Without one the server takes its default. */
  readonly mode?: string;
}

/** How a reply ended. Every reply ends, and in exactly one of these ways. */
export type ReplyEnd =
  | { readonly kind: "done"; readonly done: Done }
  | { readonly kind: "failed"; readonly failure: Failure }
  /** The stream broke off without a terminal event: what came is not the whole reply. */
  | { readonly kind: "cut" }
  | { readonly kind: "stopped" };

export interface ReplyListener {
  start(start: Start): void;
  token(text: string): void;
}

export interface StreamOptions {
  /** Aborted when the reader stops the reply. */
  readonly signal: AbortSignal;
  /** The API key, if the page has one. */
  readonly key?: string | undefined;
  readonly url?: string;
  /** Milliseconds without any sign of life, keep-alive comments included, before giving up. */
  readonly silenceMs?: number;
}

/** The server breaks every silence after 10 s, so three times that means that nobody is there. */
const SILENCE_MS = 30_000;
/** After the terminal event the body ends at once; a server that keeps it open is not waited for. */
const DRAIN_MS = 2_000;

/** Asks, and reports the reply as it comes. Never rejects: all that goes wrong is a `ReplyEnd`. */
export async function streamReply(
  request: ChatRequest,
  listener: ReplyListener,
  { signal, key, url = "/api/chat", silenceMs = SILENCE_MS }: StreamOptions,
): Promise<ReplyEnd> {
  const silence = new AbortController();
  let alarm = setTimeout(() => silence.abort(), silenceMs);
  const heard = () => {
    clearTimeout(alarm);
    alarm = setTimeout(() => silence.abort(), silenceMs);
  };
  let streaming = false;
  try {
    const body = JSON.stringify(request);
    const hash = await contentHash(body);
    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "text/event-stream",
        ...(hash === undefined ? {} : { "x-amz-content-sha256": hash }),
        // Not `authorization`, which CloudFront's signature takes the place of.
        ...(key === undefined ? {} : { "x-api-key": key }),
      },
      body,
      cache: "no-store",
      signal: AbortSignal.any([signal, silence.signal]),
    });
    heard();
    if (!response.ok) return { kind: "failed", failure: await failureFromResponse(response) };
    if (!isEventStream(response) || response.body === null) return failed(NOT_A_STREAM);
    streaming = true;
    const items = readEvents(response.body);
    for (;;) {
      const { done, value } = await items.next();
      if (done) return { kind: "cut" };
      heard();
      const end = handle(value, listener);
      if (end !== undefined) {
        void drain(items, silence);
        return end;
      }
    }
  } catch (cause) {
    if (signal.aborted) return { kind: "stopped" };
    if (silence.signal.aborted) return failed(STALLED);
    if (cause instanceof UnreadableEvent || cause instanceof SseEventTooLarge) {
      silence.abort();
      return failed(UNREADABLE);
    }
    return streaming ? { kind: "cut" } : failed(UNREACHABLE);
  } finally {
    clearTimeout(alarm);
  }
}

function handle(item: SseItem, listener: ReplyListener): ReplyEnd | undefined {
  if (item.kind === "comment") return undefined;
  const event = parseChatEvent(item.event, item.data);
  switch (event?.kind) {
    case "start":
      listener.start(event.start);
      return undefined;
    case "token":
      listener.token(event.text);
      return undefined;
    case "done":
      return { kind: "done", done: event.done };
    case "error":
      return { kind: "failed", failure: event.failure };
    case undefined:
      return undefined;
  }
}

/** Reads to the end of the body: cancelling it instead would close a connection that the next question can use. */
async function drain(items: AsyncGenerator<SseItem>, abort: AbortController): Promise<void> {
  const alarm = setTimeout(() => abort.abort(), DRAIN_MS);
  try {
    while (!(await items.next()).done);
  } catch {
    // The reply is complete: nothing that happens after it matters.
  } finally {
    clearTimeout(alarm);
  }
}

function isEventStream(response: Response): boolean {
  return /^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "");
}

function failed(failure: Failure): ReplyEnd {
  return { kind: "failed", failure };
}

function ownFailure(code: string, message: string): Failure {
  return { code, message, retryable: true, retryAfterSeconds: undefined, requestId: undefined };
}

const UNREACHABLE = ownFailure(
  "unreachable",
  "Bro-Buddy cannot be reached. Check your connection, then try again.",
);
const STALLED = ownFailure("stalled", "The line went quiet, so this reply was given up.");
const UNREADABLE = ownFailure("unreadable", "The reply came in a form this page cannot read.");
const NOT_A_STREAM = ownFailure("not_a_stream", "Something other than Bro-Buddy answered.");
