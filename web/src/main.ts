import { Announcer } from "./announcer.ts";
import { ApiKey } from "./api-key.ts";
import { EndFollower } from "./end-follower.ts";
import { fetchModes } from "./modes.ts";
import { Session } from "./session.ts";
import { SUGGESTIONS } from "./suggestions.ts";
import { Composer } from "./view/composer.ts";
import { element, required } from "./view/element.ts";
import { KeyDialog } from "./view/key-dialog.ts";
import { ModePicker } from "./view/mode-picker.ts";

const welcome = required("welcome", HTMLElement);
const newChat = required("new-chat", HTMLButtonElement);
const mark = required("mark", HTMLTemplateElement);

const modes = new ModePicker(
  required("modes", HTMLFieldSetElement),
  required("mode-options", HTMLElement),
  required("mode-description", HTMLElement),
);
const composer: Composer = new Composer(
  {
    form: required("composer", HTMLFormElement),
    field: required("question", HTMLTextAreaElement),
    send: required("send", HTMLButtonElement),
    stop: required("stop", HTMLButtonElement),
    hint: required("composer-hint", HTMLElement),
  },
  { ask: (question) => void session.ask(question), stop: () => session.stop() },
);
const session = new Session({
  turns: required("turns", HTMLElement),
  composer,
  modes,
  apiKey: new ApiKey(),
  keyDialog: new KeyDialog({
    dialog: required("key-dialog", HTMLDialogElement),
    form: required("key-form", HTMLFormElement),
    field: required("key", HTMLInputElement),
    problem: required("key-problem", HTMLElement),
    cancel: required("key-cancel", HTMLButtonElement),
  }),
  announcer: new Announcer(required("announcer", HTMLElement)),
  follower: new EndFollower(document.documentElement, required("jump", HTMLButtonElement), window),
  mark: () => mark.content.cloneNode(true),
  onTurns: (count) => {
    welcome.hidden = count > 0;
    newChat.hidden = count === 0;
  },
});

newChat.addEventListener("click", () => session.clear());
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing) session.stop();
});
required("suggestions", HTMLElement).append(
  ...SUGGESTIONS.map((text) => {
    const chip = element("button", "suggestion", text);
    chip.type = "button";
    chip.addEventListener("click", () => {
      void session.ask(text);
      // The chip has vanished with the welcome.
      composer.focus();
    });
    return element("li", "", chip);
  }),
);
// On a touch screen nothing needs the focus before the first tap.
if (matchMedia("(hover: hover)").matches) composer.focus();

const available = await fetchModes();
if (available !== undefined) modes.fill(available);
