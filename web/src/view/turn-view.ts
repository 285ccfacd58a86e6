import type { ReplyEnd } from "../chat-client.ts";
import { type MarkdownStream, type PlainTextSink, renderMarkdown } from "../markdown.ts";
import { noteFor, timingLine } from "../wording.ts";
import { element } from "./element.ts";
import { RetryButton } from "./retry-button.ts";

export interface TurnViewOptions {
  readonly question: string;
  readonly mark: Node;
  /** Hears the reply's plain text as it comes. */
  readonly plainText: PlainTextSink;
  readonly onRetry: () => void;
}

export interface EndDetails {
  readonly end: ReplyEnd;
  readonly modeLabel: string | undefined;
  readonly maxTokens: number | undefined;
}

/** One question with its growing reply. */
export class TurnView {
  readonly element: HTMLLIElement;
  readonly #reply: HTMLElement;
  readonly #body: HTMLElement;
  readonly #prose: HTMLElement;
  readonly #markdown: MarkdownStream;
  readonly #onRetry: () => void;
  #retry: RetryButton | undefined;

  constructor({ question, mark, plainText, onRetry }: TurnViewOptions) {
    this.#onRetry = onRetry;
    this.#prose = element("div", "prose");
    this.#markdown = renderMarkdown(this.#prose, plainText);
    this.#body = element("div", "reply-body", this.#prose);
    this.#reply = element(
      "div",
      "reply waiting",
      mark,
      element("h2", "visually-hidden", "Bro-Buddy"),
      this.#body,
    );
    this.#reply.ariaBusy = "true";
    this.element = element(
      "li",
      "turn",
      element(
        "div",
        "question",
        element("h2", "visually-hidden", "You"),
        element("p", "question-text", question),
      ),
      this.#reply,
    );
  }

  append(text: string): void {
    this.#reply.classList.remove("waiting");
    this.#markdown.write(text);
  }

  finish({ end, modeLabel, maxTokens }: EndDetails): void {
    this.#markdown.end();
    this.#reply.classList.remove("waiting");
    this.#reply.ariaBusy = "false";
    this.#reply.dataset.end = end.kind;
    const note = noteFor(end, { maxTokens, empty: this.#prose.childElementCount === 0 });
    if (note !== undefined) this.#body.append(element("p", `note ${note.tone}`, note.text));
    this.#offerRetry(end);
    if (end.kind === "done") this.#addTiming([modeLabel, timingLine(end.done)]);
  }

  /** Called when the conversation has moved on: only the latest turn can be tried again. */
  settle(): void {
    this.#retry?.remove();
    this.#retry = undefined;
  }

  #offerRetry(end: ReplyEnd): void {
    const wait = end.kind === "failed" ? end.failure.retryAfterSeconds : undefined;
    if (end.kind !== "cut" && !(end.kind === "failed" && end.failure.retryable)) return;
    this.#retry = new RetryButton(wait ?? 0, this.#onRetry);
    this.#body.append(this.#retry.element);
  }

  #addTiming(parts: readonly (string | undefined)[]): void {
    const text = parts.filter((part) => part !== undefined && part !== "").join(" · ");
    if (text !== "") this.#body.append(element("p", "timing", text));
  }
}
