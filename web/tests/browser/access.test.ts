import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const URL = process.env.BRO_BUDDY_URL;
const KEY = process.env.BRO_BUDDY_KEY;

let browser: Browser;

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_BIN || "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu"],
  });
});

afterAll(() => browser?.close());

// Over a running Bro-Buddy that wants a key, and behind CloudFront the hash of each question. Where the access is known it
// is not left out.
describe.skipIf(KEY === undefined && process.env.BRO_BUDDY_ACCESS === undefined)(
  "a Bro-Buddy that wants a key",
  () => {
    it("lets a reader in who has it", async () => {
      const page = await browser.newPage();
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      await page.goto(URL ?? "");
      await page.waitForSelector("#modes:not([hidden])");
      await page.keyboard.type("Yo, name three colours");
      await page.keyboard.press("Enter");
      await page.waitForSelector("#key-dialog[open]");
      await page.keyboard.type("not-the-key");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() =>
        document.getElementById("key-problem")?.textContent?.includes("not accepted"),
      );
      await page.keyboard.type(KEY ?? "");
      await page.keyboard.press("Enter");
      await page.waitForSelector('.turn [data-end="done"]');
      expect(await page.locator(".prose").innerText()).not.toBe("");

      await page.keyboard.type("And two more");
      await page.keyboard.press("Enter");
      await page.waitForSelector('.turn:nth-child(2) [data-end="done"]');
      expect(asked.filter((url) => url.includes(KEY ?? ""))).toEqual([]);
      const kept = await page.evaluate(async () => ({
        session: Object.values(sessionStorage),
        local: Object.values(localStorage),
        cookies: document.cookie,
        databases: await indexedDB.databases(),
      }));
      expect(kept).toEqual({ session: [KEY], local: [], cookies: "", databases: [] });
      await page.close();
    });
  },
);
