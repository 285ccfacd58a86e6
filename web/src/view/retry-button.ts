import { element } from "./element.ts";

/** A button to try again, closed for as long as the server asked to be left alone. */
export class RetryButton {
  readonly element: HTMLButtonElement;
  #secondsLeft: number;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(waitSeconds: number, onRetry: () => void) {
    this.#secondsLeft = Math.min(Math.ceil(waitSeconds), MAX_WAIT_SECONDS);
    this.element = element("button", "retry");
    this.element.type = "button";
    // Not `disabled`, which would drop the focus of a keyboard user who waits on it.
    this.element.addEventListener("click", () => {
      if (this.#secondsLeft === 0) onRetry();
    });
    this.#show();
    if (this.#secondsLeft > 0) this.#timer = setInterval(() => this.#tick(), 1000);
  }

  remove(): void {
    clearInterval(this.#timer);
    this.element.remove();
  }

  #tick(): void {
    this.#secondsLeft -= 1;
    if (this.#secondsLeft === 0) clearInterval(this.#timer);
    this.#show();
  }

  #show(): void {
    const waiting = this.#secondsLeft > 0;
    this.element.ariaDisabled = String(waiting);
    this.element.textContent = waiting ? `Try again in ${this.#secondsLeft} s` : "Try again";
  }
}

/** Whatever a header says, a reader is not locked out for longer. */
const MAX_WAIT_SECONDS = 60;
