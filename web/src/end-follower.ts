/**
 * Keeps the end of a growing page in view until the reader takes over.
 *
 * What stops it is the reader's own input, never where the page happens to be: geometry cannot tell a
 * reader's scrolling from text that grew, a keyboard that opened, or this class's own doing.
 */
export class EndFollower {
  readonly #scroller: Element;
  readonly #jump: HTMLButtonElement;
  #following = true;
  #lastTop = 0;
  #frame = 0;

  /** `jump` is shown while the reader is elsewhere, and brings them back. */
  constructor(scroller: Element, jump: HTMLButtonElement, input: Window) {
    this.#scroller = scroller;
    this.#jump = jump;
    jump.addEventListener("click", () => this.follow());
    const passive = { passive: true };
    input.addEventListener("wheel", (event) => event.deltaY < 0 && this.#release(), passive);
    input.addEventListener("touchmove", () => this.#release(), passive);
    input.addEventListener("keydown", (event) => scrollsUp(event) && this.#release());
    input.addEventListener("scroll", () => this.#scrolled(), passive);
  }

  /** Goes to the end and stays there. */
  follow(): void {
    this.#following = true;
    this.grew();
  }

  /** To be called after the page grew. At most one scroll a frame: reading a height costs a layout. */
  grew(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#following) this.#scroller.scrollTop = this.#scroller.scrollHeight;
      this.#showJump();
    });
  }

  #release(): void {
    if (this.#scroller.scrollHeight <= this.#scroller.clientHeight) return;
    this.#following = false;
  }

  /** A reader who scrolls down to the end wants to follow again; one who just left it does not. */
  #scrolled(): void {
    const top = this.#scroller.scrollTop;
    if (top > this.#lastTop && this.#atEnd()) this.#following = true;
    this.#lastTop = top;
    this.#showJump();
  }

  #atEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  #showJump(): void {
    this.#jump.hidden = this.#following || this.#atEnd();
  }
}

const NEAR_END_PX = 24;

function scrollsUp(event: KeyboardEvent): boolean {
  if (event.key === "PageUp") return true;
  const writing = event.target instanceof HTMLTextAreaElement;
  return !writing && (event.key === "ArrowUp" || event.key === "Home");
}
