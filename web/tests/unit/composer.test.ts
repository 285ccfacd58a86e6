// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { MAX_MESSAGE_CHARS } from "../../src/limits.ts";
import { Composer } from "../../src/view/composer.ts";

function write() {
  const asked: string[] = [];
  const parts = {
    form: document.createElement("form"),
    field: document.createElement("textarea"),
    send: document.createElement("button"),
    stop: document.createElement("button"),
    hint: document.createElement("p"),
  };
  parts.stop.hidden = true;
  const composer = new Composer(parts, {
    ask: (question) => asked.push(question),
    stop: () => undefined,
  });
  const type = (text: string) => {
    parts.field.value = text;
    parts.field.dispatchEvent(new Event("input"));
  };
  const press = (init: KeyboardEventInit) =>
    parts.field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ...init }));
  return { composer, parts, asked, type, press };
}

describe("the composer", () => {
  it("sends with Enter and is empty again", () => {
    const { parts, asked, type, press } = write();
    type(" Yo ");
    press({});
    expect(asked).toEqual(["Yo"]);
    expect(parts.field.value).toBe("");
  });

  it.each<[string, KeyboardEventInit]>([
    ["Shift and Enter", { shiftKey: true }],
    ["Enter that ends a composition", { isComposing: true }],
    ["Enter that ends a composition in Safari", { keyCode: 229 }],
  ])("does not send with %s", (_, init) => {
    const { asked, type, press } = write();
    type("にほん");
    press(init);
    expect(asked).toEqual([]);
  });

  it("keeps what is written while a reply comes", () => {
    const { composer, parts, asked, type, press } = write();
    composer.offerStop();
    type("next");
    press({});
    expect(asked).toEqual([]);
    expect(parts.field.value).toBe("next");
    composer.offerSend();
    press({});
    expect(asked).toEqual(["next"]);
  });

  it("does not send nothing", () => {
    const { asked, type, press } = write();
    type(" \n ");
    press({});
    expect(asked).toEqual([]);
  });

  it("says by how much a question is too long, and keeps it", () => {
    const { parts, asked, type, press } = write();
    type("😀".repeat(MAX_MESSAGE_CHARS + 2));
    press({});
    expect(asked).toEqual([]);
    expect(parts.hint.textContent).toBe("2 characters too long. The limit is 4,000.");
    expect(parts.field.ariaInvalid).toBe("true");
  });
});
