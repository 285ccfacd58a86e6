// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { Announcer } from "../../src/announcer.ts";

function listen(): { announcer: Announcer; heard: () => string[] } {
  const region = document.createElement("div");
  return {
    announcer: new Announcer(region),
    heard: () => Array.from(region.children, (line) => line.textContent ?? ""),
  };
}

describe("a growing reply, aloud", () => {
  it("is said by sentences, never by tokens", () => {
    const { announcer, heard } = listen();
    for (const token of ["Red", " is", " warm.", " Blue", " is not", "! ", "Green"]) {
      announcer.feed(token);
    }
    expect(heard()).toEqual(["Red is warm.", "Blue is not!"]);
  });

  it("is said to its end when nothing more comes", () => {
    const { announcer, heard } = listen();
    announcer.feed("Once upon a time");
    expect(heard()).toEqual([]);
    announcer.flush();
    announcer.flush();
    expect(heard()).toEqual(["Once upon a time"]);
  });

  it.each([
    ["a number", "Pi is 3.14159 or so", []],
    ["Japanese", "赤です。青", ["赤です。"]],
    ["a list", "red\ngreen\nbl", ["red\ngreen"]],
    ["a quotation", 'He said "yo." Then', ['He said "yo."']],
  ])("knows where a sentence ends: %s", (_, text, said) => {
    const { announcer, heard } = listen();
    announcer.feed(text);
    expect(heard()).toEqual(said);
  });

  it("does not pile up what has been said", () => {
    const { announcer, heard } = listen();
    for (let n = 0; n < 100; n += 1) announcer.say(`${n}`);
    expect(heard().length).toBeLessThanOrEqual(20);
    expect(heard().at(-1)).toBe("99");
  });
});
