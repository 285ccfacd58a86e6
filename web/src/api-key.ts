/**
 * The API key of this page, for as long as its tab is open. It goes from the reader into session
 * storage and from there into a header: never into a URL, which is logged and shared.
 */
export class ApiKey {
  #value: string | undefined;

  constructor() {
    try {
      this.#value = sessionStorage.getItem(ENTRY) ?? undefined;
    } catch {
      // Storage that the reader has closed: the key is kept for as long as the page is.
    }
  }

  get value(): string | undefined {
    return this.#value;
  }

  keep(key: string): void {
    this.#value = key;
    try {
      sessionStorage.setItem(ENTRY, key);
    } catch {
      // As above.
    }
  }
}

/** What can be a key at all: characters that a header can carry, without blanks. */
export function parseKey(text: string): string | undefined {
  const key = text.trim();
  return /^[\x21-\x7e]{1,512}$/.test(key) ? key : undefined;
}

const ENTRY = "bro-buddy.api-key";
