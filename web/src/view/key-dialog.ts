import { parseKey } from "../api-key.ts";

export interface KeyDialogParts {
  readonly dialog: HTMLDialogElement;
  readonly form: HTMLFormElement;
  readonly field: HTMLInputElement;
  /** Says what is wrong with a key. */
  readonly problem: HTMLElement;
  readonly cancel: HTMLButtonElement;
}

/** Why a key is asked for. */
export type KeyDemand = "missing" | "refused";

/** Asks for an API key. A modal dialogue: it takes the focus, and gives it back when it closes. */
export class KeyDialog {
  readonly #parts: KeyDialogParts;
  #answer: ((key: string | undefined) => void) | undefined;

  constructor(parts: KeyDialogParts) {
    this.#parts = parts;
    parts.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    parts.cancel.addEventListener("click", () => this.#close(undefined));
    // By Escape it closes by itself.
    parts.dialog.addEventListener("close", () => {
      // The event comes later than the closing: by then it may be open for another question.
      if (!parts.dialog.open) this.#close(undefined);
    });
  }

  /** The key, or undefined if the reader has none, or `signal` says that it is not wanted any more. */
  ask(demand: KeyDemand, signal: AbortSignal): Promise<string | undefined> {
    const { dialog } = this.#parts;
    if (signal.aborted) return Promise.resolve(undefined);
    const close = () => this.#close(undefined);
    signal.addEventListener("abort", close, { once: true });
    return new Promise<string | undefined>((resolve) => {
      this.#answer = resolve;
      this.#complain(demand === "refused" ? "That key was not accepted." : "");
      dialog.showModal();
    }).finally(() => signal.removeEventListener("abort", close));
  }

  #submit(): void {
    const { field } = this.#parts;
    const key = parseKey(field.value);
    if (key === undefined) {
      this.#complain(
        field.value.trim() === ""
          ? "Enter a key."
          : "A key has letters, digits and signs, and no blanks.",
      );
      field.focus();
      return;
    }
    this.#close(key);
  }

  /** Whoever asked gets an answer at once, and the field forgets the key. */
  #close(key: string | undefined): void {
    const { dialog, field } = this.#parts;
    field.value = "";
    this.#answer?.(key);
    this.#answer = undefined;
    dialog.close();
  }

  #complain(problem: string): void {
    this.#parts.problem.textContent = problem;
    this.#parts.field.ariaInvalid = String(problem !== "");
  }
}
