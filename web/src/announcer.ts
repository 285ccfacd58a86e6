/**
 * Speaks to those who listen to the page: a polite live region of its own, since a live region around
 * text that grows by tokens is read in scraps, or again from the start with every token.
 */
export class Announcer {
  readonly #region: HTMLElement;
  #pending = "";

  constructor(region: HTMLElement) {
    this.#region = region;
  }

  /** Says a whole message. */
  say(text: string): void {
    const line = document.createElement("p");
    line.textContent = text;
    this.#region.append(line);
    // What has been said need not stay: the reply itself can be read in its place.
    while (this.#region.childElementCount > KEPT_LINES) this.#region.firstElementChild?.remove();
  }

  /** Takes a growing text and says it sentence by sentence. */
  feed(text: string): void {
    this.#pending += text;
    const end = endOfLastSentence(this.#pending);
    if (end === 0) return;
    const sentences = this.#pending.slice(0, end).trim();
    this.#pending = this.#pending.slice(end);
    if (sentences !== "") this.say(sentences);
  }

  /** Says what is left of the growing text. */
  flush(): void {
    const rest = this.#pending.trim();
    this.#pending = "";
    if (rest !== "") this.say(rest);
  }
}

const KEPT_LINES = 20;

/** Index after the last sentence that is surely over: 3.5 and "e.g" are not, before a space has come. */
export function endOfLastSentence(text: string): number {
  let end = 0;
  for (const match of text.matchAll(/[.!?…]["'”’)\]]*\s+|[。！？]|\n+/gu)) {
    end = match.index + match[0].length;
  }
  return end;
}
