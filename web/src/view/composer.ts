import { parseQuestion } from "../conversation.ts";
import { countChars, MAX_MESSAGE_CHARS } from "../limits.ts";

export interface ComposerParts {
  readonly form: HTMLFormElement;
  readonly field: HTMLTextAreaElement;
  readonly send: HTMLButtonElement;
  readonly stop: HTMLButtonElement;
  readonly hint: HTMLElement;
}

export interface ComposerListener {
  ask(question: string): void;
  stop(): void;
}

/** Where the reader writes. Enter sends, Shift and Enter break the line. */
export class Composer {
  readonly #parts: ComposerParts;
  readonly #listener: ComposerListener;

  constructor(parts: ComposerParts, listener: ComposerListener) {
    this.#parts = parts;
    this.#listener = listener;
    parts.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    parts.field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
      event.preventDefault();
      this.#submit();
    });
    parts.field.addEventListener("input", () => this.#changed());
    parts.stop.addEventListener("click", () => listener.stop());
    this.#changed();
  }

  /** Takes the focus, but for a field that would pop up a keyboard over what the reader came to see. */
  focus(): void {
    const { field, send, stop } = this.#parts;
    const onScreenKeyboard = matchMedia("(hover: none) and (pointer: coarse)").matches;
    (onScreenKeyboard ? [stop, send].find((button) => !button.hidden) : field)?.focus();
  }

  /** While a reply comes: what is written meanwhile waits. */
  offerStop(): void {
    this.#swap(this.#parts.send, this.#parts.stop);
  }

  offerSend(): void {
    this.#swap(this.#parts.stop, this.#parts.send);
  }

  #swap(from: HTMLButtonElement, to: HTMLButtonElement): void {
    const hadFocus = document.activeElement === from;
    to.hidden = false;
    // Before the other one vanishes and takes the focus with it.
    if (hadFocus) to.focus();
    from.hidden = true;
  }

  #submit(): void {
    if (this.#parts.send.hidden) return;
    const question = parseQuestion(this.#parts.field.value);
    if (question === undefined) {
      this.#parts.field.focus();
      return;
    }
    this.#parts.field.value = "";
    this.#changed();
    this.#listener.ask(question);
  }

  #changed(): void {
    const { field, send, hint } = this.#parts;
    // Back to one line first: a field's scroll height never shrinks below its height.
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
    const length = countChars(field.value.trim());
    const tooLong = length > MAX_MESSAGE_CHARS;
    field.ariaInvalid = String(tooLong);
    // Not `disabled`: the button keeps the focus when a reply ends under it.
    send.ariaDisabled = String(length === 0 || tooLong);
    hint.textContent = tooLong
      ? `${(length - MAX_MESSAGE_CHARS).toLocaleString("en")} characters too long. The limit is ${MAX_MESSAGE_CHARS.toLocaleString("en")}.`
      : "";
  }
}

/** Enter that picks a candidate of an input method is not Enter. Safari says so only by the code 229. */
function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}
