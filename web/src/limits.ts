// What one request may hold. The server refuses what goes beyond, so the page keeps within.

export const MAX_MESSAGES = 20;
/** Unicode scalar values in one message. */
export const MAX_MESSAGE_CHARS = 4_000;
/** Unicode scalar values in all messages of one request. */
export const MAX_TOTAL_CHARS = 16_000;
/** Bytes of the request's JSON. Escapes can reach this before the characters reach their limit. */
export const MAX_BODY_BYTES = 64 * 1024;

/** Counts as the server does: an emoji is one character or more, never its UTF-16 units. */
export function countChars(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
