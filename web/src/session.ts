import type { Announcer } from "./announcer.ts";
import type { ApiKey } from "./api-key.ts";
import { type ChatRequest, type ReplyEnd, type ReplyListener, streamReply } from "./chat-client.ts";
import { requestFor, type Turn } from "./conversation.ts";
import type { EndFollower } from "./end-follower.ts";
import type { Composer } from "./view/composer.ts";
import type { KeyDialog } from "./view/key-dialog.ts";
import type { ModePicker } from "./view/mode-picker.ts";
import { TurnView } from "./view/turn-view.ts";
import { noteFor } from "./wording.ts";

export interface SessionParts {
  readonly turns: HTMLElement;
  readonly composer: Pick<Composer, "focus" | "offerSend" | "offerStop">;
  readonly modes: ModePicker;
  readonly apiKey: ApiKey;
  readonly keyDialog: Pick<KeyDialog, "ask">;
  readonly announcer: Announcer;
  readonly follower: EndFollower;
  /** A fresh copy of the page's mark. */
  readonly mark: () => Node;
  /** The reader has begun, or begun anew. */
  readonly onTurns: (count: number) => void;
}

/** The conversation of this page: one reply at a time, forgotten when the page is closed. */
export class Session {
  readonly #parts: SessionParts;
  #turns: readonly Turn[] = [];
  #running: AbortController | undefined;
  #latest: TurnView | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** Asks, unless a reply is still coming. */
  async ask(question: string): Promise<void> {
    if (this.#running !== undefined) return;
    const { modes, announcer, composer, follower } = this.#parts;
    const running = new AbortController();
    this.#running = running;
    const view = this.#addView(question);
    composer.offerStop();
    announcer.say("Bro-Buddy is on it.");
    follower.follow();

    let reply = "";
    let modeLabel = modes.labelOf(modes.selectedId);
    let maxTokens: number | undefined;
    const end = await this.#stream(
      requestFor(this.#turns, question, modes.selectedId),
      {
        start: (start) => {
          modeLabel = modes.labelOf(start.mode) ?? modeLabel;
          maxTokens = start.maxTokens;
        },
        token: (text) => {
          reply += text;
          view.append(text);
          follower.grew();
        },
      },
      running.signal,
    );
    // A new chat was begun meanwhile: this reply belongs to none.
    if (this.#running !== running) return;

    this.#running = undefined;
    this.#turns = [...this.#turns, { question, reply, end }];
    view.finish({ end, modeLabel, maxTokens });
    composer.offerSend();
    this.#announceEnd(end, reply, maxTokens);
    follower.grew();
  }

  stop(): void {
    this.#running?.abort();
  }

  /** Forgets the conversation. */
  clear(): void {
    const running = this.#running;
    this.#running = undefined;
    running?.abort();
    this.#turns = [];
    this.#latest = undefined;
    this.#parts.turns.replaceChildren();
    this.#parts.onTurns(0);
    this.#parts.composer.offerSend();
    this.#parts.composer.focus();
  }

  /** Asks with the key that the page has, and where it has none, or a wrong one, with the reader's. */
  async #stream(
    request: ChatRequest,
    listener: ReplyListener,
    signal: AbortSignal,
  ): Promise<ReplyEnd> {
    const { apiKey, keyDialog } = this.#parts;
    for (;;) {
      const key = apiKey.value;
      const end = await streamReply(request, listener, { signal, key });
      if (end.kind !== "failed" || end.failure.code !== "unauthorized") return end;
      const given = await keyDialog.ask(key === undefined ? "missing" : "refused", signal);
      if (given === undefined) return end;
      apiKey.keep(given);
    }
  }

  #addView(question: string): TurnView {
    this.#latest?.settle();
    const view = new TurnView({
      question,
      mark: this.#parts.mark(),
      plainText: (text) => this.#parts.announcer.feed(text),
      onRetry: () => this.#retry(view, question),
    });
    this.#latest = view;
    this.#parts.turns.append(view.element);
    this.#parts.onTurns(this.#turns.length + 1);
    return view;
  }

  /** The failed turn makes way for the new try. */
  #retry(failed: TurnView, question: string): void {
    if (this.#running !== undefined) return;
    this.#turns = this.#turns.slice(0, -1);
    failed.settle();
    failed.element.remove();
    void this.ask(question);
    // The button that was pressed is gone.
    this.#parts.composer.focus();
  }

  #announceEnd(end: ReplyEnd, reply: string, maxTokens: number | undefined): void {
    this.#parts.announcer.flush();
    const note = noteFor(end, { maxTokens, empty: reply.trim() === "" });
    if (note !== undefined) this.#parts.announcer.say(note.text);
  }
}
