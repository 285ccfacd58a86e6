import { describe, expect, it } from "vitest";
import { readEvents, SseEventTooLarge, type SseItem } from "../../src/sse.ts";
import { REPLIES, replyBytes, replyEvents } from "../support/fixtures.ts";

function bodyOf(...chunks: Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
  });
}

async function read(...chunks: Uint8Array<ArrayBuffer>[]): Promise<SseItem[]> {
  const items: SseItem[] = [];
  for await (const item of readEvents(bodyOf(...chunks))) items.push(item);
  return items;
}

function decoded(items: SseItem[]) {
  return items
    .filter((item) => item.kind === "event")
    .map(({ event, data }) => ({ event, data: JSON.parse(data) }));
}

describe.each(REPLIES)("the recorded reply %s", (name) => {
  const bytes = replyBytes(name);
  const expected = replyEvents(name);

  it("is read whole", async () => {
    expect(decoded(await read(bytes))).toEqual(expected);
  });

  it("is read the same when it is split at any byte", async () => {
    for (let at = 0; at <= bytes.length; at += 1) {
      const items = await read(bytes.slice(0, at), bytes.slice(at));
      expect(decoded(items), `split at byte ${at}`).toEqual(expected);
    }
  });

  it("is read the same byte by byte", async () => {
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
    expect(decoded(await read(...single))).toEqual(expected);
  });
});

describe("a stream", () => {
  const text = (value: string) => new TextEncoder().encode(value);

  it("shows its comments as signs of life", async () => {
    expect(await read(text(": keep-alive\n\n"))).toEqual([{ kind: "comment" }]);
  });

  it("delivers an event as soon as its bytes are there", async () => {
    let send: (chunk: Uint8Array) => void = () => undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        send = (chunk) => controller.enqueue(chunk);
      },
    });
    const events = readEvents(body);
    const first = events.next();
    send(text('event: token\ndata: {"text":"Yo"}\n\n'));
    expect((await first).value).toEqual({ kind: "event", event: "token", data: '{"text":"Yo"}' });
    await events.return();
  });

  it("is given up when an event never ends", async () => {
    const endless = Array.from({ length: 40 }, () => text(`data: ${"x".repeat(100)}\n`));
    const events = readEvents(bodyOf(...endless), 1_000);
    await expect(events.next()).rejects.toBeInstanceOf(SseEventTooLarge);
  });

  it("is cancelled when its reader has had enough", async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(text("data: 1\n\n")),
      cancel: () => {
        cancelled = true;
      },
    });
    for await (const _ of readEvents(body)) break;
    expect(cancelled).toBe(true);
  });
});
