import { readdirSync, readFileSync } from "node:fs";

const FOLDER = new URL("../../../tests/wire/sse/", import.meta.url);

export interface WireEvent {
  readonly event: string;
  readonly data: unknown;
}

/** The names of all recorded replies. */
export const REPLIES: readonly string[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".sse"))
  .map((file) => file.slice(0, -".sse".length));

/** The body of a recorded reply. */
export function replyBytes(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`${name}.sse`, FOLDER)));
}

/** The events a reader must find in it. */
export function replyEvents(name: string): WireEvent[] {
  const events: WireEvent[] = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), "utf8"));
  return events.map(({ event, data }) => ({ event, data }));
}
