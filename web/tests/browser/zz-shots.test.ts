import { mkdirSync } from "node:fs";
import { it } from "vitest";
import { chromium } from "playwright-core";
import { serveScriptedPage } from "../support/scripted-page.ts";
it("shots", async () => {
  mkdirSync("/tmp/shots", { recursive: true });
  await using server = await serveScriptedPage();
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--headless","--no-sandbox","--disable-gpu","--disable-quic","--no-first-run"] });
  for (const [name, viewport] of [["phone",{width:390,height:844}],["desk",{width:1280,height:800}],["tiny",{width:360,height:640}]] as const)
    for (const colorScheme of ["light","dark"] as const) {
      if (name === "tiny" && colorScheme === "dark") continue;
      const page = await browser.newPage({ viewport, colorScheme, hasTouch: name !== "desk", isMobile: name !== "desk", deviceScaleFactor: 1 });
      page.on("console", m => console.log(m.type(), m.text())); page.on("pageerror", e => console.log(e));
      const shot = (s: string) => page.screenshot({ path: `/tmp/shots/${name}-${colorScheme}-${s}.png` });
      const ask = async (q: string) => { await page.fill("#question", q); await page.press("#question","Enter"); };
      await page.goto(server.url); await page.waitForSelector(".mode"); await shot("1welcome");
      await ask("Yo, name three colours that get along"); await shot("2thinking");
      await page.waitForFunction(() => (document.querySelector(".prose")?.textContent?.length ?? 0) > 140); await shot("3mid");
      await page.waitForSelector("#send:not([hidden])"); await shot("4done");
      await ask("throttled"); await page.waitForSelector(".retry"); await shot("5throttled");
      await ask("cut"); await page.waitForSelector("[data-end=cut]"); await page.waitForTimeout(100); await shot("6cut");
      await ask("max-tokens"); await page.waitForSelector("[data-end=done] .note"); await page.waitForTimeout(100); await shot("7max");
      await ask("long"); await page.waitForFunction(() => (document.documentElement.scrollHeight) > 2200);
      await page.mouse.wheel(0,-300); await page.waitForTimeout(300); await shot("8away");
      await page.close();
    }
  await browser.close();
}, 120000);
