import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KEY, serveScriptedPage } from "../support/scripted-page.ts";
import type { TestServer } from "../support/server.ts";

const RUNNING = process.env.BRO_BUDDY_URL;

let browser: Browser;
let scripted: TestServer | undefined;
let url: string;

beforeAll(async () => {
  scripted = RUNNING === undefined ? await serveScriptedPage() : undefined;
  url = scripted?.url ?? RUNNING ?? "";
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_BIN || "/usr/bin/chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
});

afterAll(async () => {
  await browser?.close();
  await scripted?.[Symbol.asyncDispose]();
});

/** The page as a reader has it, and all that its console complained of, broken policies included. */
class Reader implements AsyncDisposable {
  readonly complaints: string[] = [];

  private constructor(readonly page: Page) {
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(String(error)));
  }

  static async arrives(options: BrowserContextOptions = {}): Promise<Reader> {
    const reader = new Reader(await browser.newPage(options));
    await reader.page.goto(url);
    await reader.page.waitForSelector("#modes:not([hidden])");
    return reader;
  }

  /** With nothing but the keyboard: the field has the focus. */
  async asks(question: string): Promise<void> {
    await this.page.keyboard.type(question);
    await this.page.keyboard.press("Enter");
  }

  async replyEnds(kind: string): Promise<void> {
    await this.page.waitForSelector(`.turn:last-child [data-end="${kind}"]`);
  }

  latestReply(): Promise<string> {
    return this.page.locator(".turn:last-child .prose").innerText();
  }

  focused(): Promise<string | undefined> {
    return this.page.evaluate(() => document.activeElement?.id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }
}

describe("a reader", () => {
  it("sees a reply grow, and what it took", async () => {
    await using reader = await Reader.arrives();
    await reader.page.evaluate(() => {
      const lengths = new Set<number>();
      Object.assign(window, { lengths });
      new MutationObserver(() => {
        const busy = document.querySelector('.reply[aria-busy="true"] .prose');
        if (busy?.textContent) lengths.add(busy.textContent.length);
      }).observe(document.body, { childList: true, characterData: true, subtree: true });
    });
    await reader.asks("Yo, name three colours");
    await reader.replyEnds("done");
    const lengths = await reader.page.evaluate(() => [
      ...(window as unknown as { lengths: Set<number> }).lengths,
    ]);
    expect(lengths.length).toBeGreaterThanOrEqual(3);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
    expect(await reader.page.locator(".timing").innerText()).toMatch(/ to first token .+ in all/);
    expect(await reader.focused()).toBe("question");
    expect(reader.complaints).toEqual([]);
  });

  it("stops a reply, keeps what came, and asks on", async () => {
    await using reader = await Reader.arrives();
    await reader.asks("long");
    await reader.page.waitForFunction(
      () => document.querySelector(".turn:last-child .prose")?.textContent,
    );
    await reader.page.keyboard.press("Tab");
    expect(await reader.focused()).toBe("stop");
    await reader.page.keyboard.press("Enter");
    await reader.replyEnds("stopped");
    expect(await reader.latestReply()).not.toBe("");
    expect(await reader.page.locator(".turn:last-child .note").innerText()).toBe("Stopped.");
    expect(await reader.focused()).toBe("send");

    await reader.page.locator("#question").focus();
    await reader.asks("Yo");
    // A small model may still be busy with what was stopped: a refusal in words is an answer too.
    await reader.page.waitForSelector('.turn:nth-child(2) [aria-busy="false"]');
    expect(await reader.page.locator(".turn").count()).toBe(2);
  });

  it("chooses a tone with the arrow keys", async () => {
    await using reader = await Reader.arrives();
    const radios = reader.page.locator("#modes input");
    expect(await radios.count()).toBeGreaterThanOrEqual(4);
    const described = () => reader.page.locator("#mode-description").innerText();
    const before = await described();
    await reader.page.locator("#modes input:checked").focus();
    await reader.page.keyboard.press("ArrowRight");
    expect(await described()).not.toBe(before);
    expect(await reader.page.locator("#modes input:checked").count()).toBe(1);
  });

  it("breaks a line with Shift and Enter", async () => {
    await using reader = await Reader.arrives();
    await reader.page.keyboard.type("one");
    await reader.page.keyboard.press("Shift+Enter");
    await reader.page.keyboard.type("two");
    expect(await reader.page.inputValue("#question")).toBe("one\ntwo");
    expect(await reader.page.locator(".turn").count()).toBe(0);
  });

  it("begins anew", async () => {
    await using reader = await Reader.arrives();
    await reader.asks("Yo");
    await reader.page.locator("#new-chat").click();
    expect(await reader.page.locator(".turn").count()).toBe(0);
    expect(await reader.page.locator("#welcome").isVisible()).toBe(true);
    expect(await reader.focused()).toBe("question");
  });

  it("of a narrow phone never scrolls sideways", async () => {
    await using reader = await Reader.arrives({ viewport: { width: 360, height: 640 } });
    await reader.asks("Yo, name three colours");
    await reader.replyEnds("done");
    const width = await reader.page.evaluate(() => document.documentElement.scrollWidth);
    expect(width).toBeLessThanOrEqual(360);
  });
});

describe.skipIf(RUNNING !== undefined)("a reader of a reply that goes wrong", () => {
  it.each([
    { question: "throttled", end: "failed", says: "The model is busy" },
    { question: "platform", end: "failed", says: "The server tripped" },
    { question: "error", end: "failed", says: "The reply broke off" },
    { question: "cut", end: "cut", says: "cut off" },
    { question: "max-tokens", end: "done", says: "150-token limit" },
    { question: "guardrail", end: "done", says: "guardrail" },
  ])("($question) is told in words, on the page and aloud", async ({ question, end, says }) => {
    await using reader = await Reader.arrives();
    await reader.asks(question);
    await reader.replyEnds(end);
    expect(await reader.page.locator(".note").innerText()).toContain(says);
    expect(await reader.page.locator("#announcer").textContent()).toContain(says);
  });

  it("keeps the text of a reply that was cut", async () => {
    await using reader = await Reader.arrives();
    await reader.asks("cut");
    await reader.replyEnds("cut");
    expect(await reader.latestReply()).toBe("Once upon a time");
  });

  it("tries again in the place of the failure, once the server allows it", async () => {
    await using reader = await Reader.arrives();
    await reader.asks("throttled");
    const retry = reader.page.locator(".retry");
    expect(await retry.innerText()).toMatch(/in [12] s$/);
    await reader.page.waitForSelector('.retry[aria-disabled="false"]');
    await retry.click();
    await reader.page.waitForSelector('.retry[aria-disabled="true"]');
    expect(await reader.page.locator(".turn").count()).toBe(1);
  });
});

describe.skipIf(RUNNING !== undefined)("a reader of a page that wants a key", () => {
  const asksForAKey = (reader: Reader) => reader.page.waitForSelector("#key-dialog[open]");
  const problem = (reader: Reader) => reader.page.locator("#key-problem").innerText();

  it("is asked for it, told of a wrong one, and never asked again", async () => {
    await using reader = await Reader.arrives();
    await reader.asks("locked");
    await asksForAKey(reader);
    expect(await reader.focused()).toBe("key");
    expect(await problem(reader)).toBe("");
    await reader.asks("a wrong one");
    expect(await problem(reader)).toContain("no blanks");
    await reader.page.fill("#key", "");
    await reader.asks("wrong");
    await reader.page.waitForFunction(() =>
      document.getElementById("key-problem")?.textContent?.includes("not accepted"),
    );
    await reader.asks(KEY);
    await reader.replyEnds("done");
    expect(await reader.latestReply()).toBe("Come in.");
    expect(await reader.focused()).toBe("question");

    await reader.asks("locked");
    await reader.page.waitForSelector('.turn:nth-child(2) [data-end="done"]');
    await reader.page.reload();
    await reader.page.waitForSelector("#modes:not([hidden])");
    await reader.asks("locked");
    await reader.replyEnds("done");
    expect(reader.page.url()).not.toContain(KEY);
    expect(await reader.page.inputValue("#key")).toBe("");
  });

  it.each(["Escape", "Not now"])("can do without (%s), and try again", async (how) => {
    await using reader = await Reader.arrives();
    await reader.asks("locked");
    await asksForAKey(reader);
    await (how === "Escape" ? reader.page.keyboard.press(how) : reader.page.click("#key-cancel"));
    await reader.replyEnds("failed");
    expect(await reader.page.locator(".note").innerText()).toContain("callers with a key");
    await reader.page.locator(".retry").click();
    await asksForAKey(reader);
    await reader.asks(KEY);
    await reader.replyEnds("done");
    expect(await reader.page.locator(".turn").count()).toBe(1);
  });

  it("of a new chat is not asked any more", async () => {
    await using reader = await Reader.arrives();
    await reader.asks("locked");
    await asksForAKey(reader);
    await reader.page.evaluate(() => document.getElementById("new-chat")?.click());
    await reader.page.waitForSelector("#key-dialog", { state: "hidden" });
    expect(await reader.page.locator(".turn").count()).toBe(0);
  });
});

describe.skipIf(RUNNING !== undefined)("a long reply", () => {
  const gap = (page: Page) =>
    page.evaluate(() => {
      const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
      return scrollHeight - scrollTop - clientHeight;
    });
  const grownBy = async (page: Page, pixels: number) => {
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.waitForFunction(
      (target) => document.documentElement.scrollHeight >= target,
      height + pixels,
    );
  };

  it("is followed until the reader scrolls up, and again from the jump button on", async () => {
    await using reader = await Reader.arrives();
    const { page } = reader;
    await reader.asks("long");
    await grownBy(page, 800);
    await expect.poll(() => gap(page)).toBeLessThan(100);

    await page.mouse.move(300, 300);
    await page.mouse.wheel(0, -400);
    await page.waitForSelector("#jump:not([hidden])");
    const top = await page.evaluate(() => document.documentElement.scrollTop);
    await grownBy(page, 400);
    expect(await page.evaluate(() => document.documentElement.scrollTop)).toBeLessThanOrEqual(top);

    await page.locator("#jump").click();
    await page.waitForSelector("#jump", { state: "hidden" });
    await grownBy(page, 400);
    await expect.poll(() => gap(page)).toBeLessThan(100);
    await page.keyboard.press("Escape");
    await reader.replyEnds("stopped");
  });
});
