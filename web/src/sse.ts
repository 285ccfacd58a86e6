import { createParser } from "eventsource-parser";

/** One thing a server-sent event stream said. A comment says nothing but that the server is alive. */
export type SseItem =
  | { readonly kind: "event"; readonly event: string; readonly data: string }
  | { readonly kind: "comment" };

/** An event that never ends must not fill the memory. A token event is a few hundred characters. */
export const MAX_BUFFERED_CHARS = 256 * 1024;

/** A line or an event of the stream grew beyond the limit without ending. */
export class SseEventTooLarge extends Error {
  override readonly name = "SseEventTooLarge";
}

/**
 * Reads a response body as server-sent events, however its bytes were cut into chunks. An event that
 * the stream does not finish is dropped, as the specification wants it. Ending the iteration early
 * cancels the body.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  maxBufferedChars: number = MAX_BUFFERED_CHARS,
): AsyncGenerator<SseItem, void, void> {
  const items: SseItem[] = [];
  let tooLarge = false;
  const parser = createParser({
    maxBufferSize: maxBufferedChars,
    onEvent: ({ event, data }) => items.push({ kind: "event", event: event ?? "message", data }),
    onComment: () => items.push({ kind: "comment" }),
    // Unknown fields and bad `retry` values are to be ignored, says the specification.
    onError: (error) => {
      tooLarge ||= error.type === "max-buffer-size-exceeded";
    },
  });
  // One decoder for the whole stream: a character may be cut between two chunks.
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let heldCr = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      // The parser holds a last CR back, since an LF may follow; at the end it is a line end for sure.
      const text: string = done ? (heldCr ? "\n" : "") : decoder.decode(value, { stream: true });
      if (text !== "") heldCr = text.endsWith("\r");
      parser.feed(text);
      yield* items.splice(0);
      if (done) return;
      if (tooLarge) {
        throw new SseEventTooLarge(`an event grew beyond ${maxBufferedChars} characters`);
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
