// @vitest-environment happy-dom
import { beforeEach, expect, it } from "vitest";
import { KeyDialog } from "../../src/view/key-dialog.ts";

const KEY = "key-of-alice";
const NEVER = new AbortController().signal;

let dialog: HTMLDialogElement;
let field: HTMLInputElement;
let form: HTMLFormElement;
let asking: KeyDialog;
/** What a browser does later: tells that the dialogue was closed. */
let tell: (() => void)[];

beforeEach(() => {
  dialog = document.createElement("dialog");
  form = document.createElement("form");
  field = document.createElement("input");
  tell = [];
  dialog.close = () => {
    if (!dialog.open) return;
    dialog.open = false;
    tell.push(() => dialog.dispatchEvent(new Event("close")));
  };
  const problem = document.createElement("p");
  asking = new KeyDialog({
    dialog,
    form,
    field,
    problem,
    cancel: document.createElement("button"),
  });
});

function enter(key: string): void {
  field.value = key;
  form.dispatchEvent(new Event("submit", { cancelable: true }));
}

it("a key that was entered is the answer, and the field forgets it", async () => {
  const answer = asking.ask("missing", NEVER);
  enter(` ${KEY} `);
  expect(await answer).toBe(KEY);
  expect([dialog.open, field.value]).toEqual([false, ""]);
});

it("what can be no key is told, and asked again", async () => {
  const answer = asking.ask("missing", NEVER);
  enter("two words");
  expect([dialog.open, field.ariaInvalid]).toEqual([true, "true"]);
  enter(KEY);
  expect(await answer).toBe(KEY);
});

it("a question that is given up is answered at once, and leaves nothing for the next one", async () => {
  const given = new AbortController();
  const first = asking.ask("missing", given.signal);
  field.value = "half a k";
  given.abort();
  const second = asking.ask("refused", NEVER);
  expect(await first).toBeUndefined();
  expect([dialog.open, field.value]).toEqual([true, ""]);
  for (const close of tell) close();
  expect(dialog.open).toBe(true);
  enter(KEY);
  expect(await second).toBe(KEY);
});

it("a dialogue that closes by itself, as by Escape, has no key", async () => {
  const answer = asking.ask("missing", NEVER);
  dialog.close();
  for (const close of tell) close();
  expect(await answer).toBeUndefined();
});
