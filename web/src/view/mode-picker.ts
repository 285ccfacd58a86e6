import type { Mode, Modes } from "../modes.ts";
import { element } from "./element.ts";

/** The choice of tone: radio buttons, so that the keyboard and screen readers know it already. */
export class ModePicker {
  readonly #fieldset: HTMLFieldSetElement;
  readonly #options: HTMLElement;
  readonly #description: HTMLElement;
  #modes: readonly Mode[] = [];
  #selected: Mode | undefined;

  constructor(fieldset: HTMLFieldSetElement, options: HTMLElement, description: HTMLElement) {
    this.#fieldset = fieldset;
    this.#options = options;
    this.#description = description;
  }

  fill({ modes, defaultId }: Modes): void {
    this.#modes = modes;
    this.#options.replaceChildren(
      ...modes.map((mode) => this.#option(mode, mode.id === defaultId)),
    );
    this.#select(modes.find((mode) => mode.id === defaultId));
    this.#fieldset.hidden = false;
  }

  /** Undefined until the modes are there: the server then takes its default. */
  get selectedId(): string | undefined {
    return this.#selected?.id;
  }

  labelOf(id: string | undefined): string | undefined {
    return this.#modes.find((mode) => mode.id === id)?.label;
  }

  #option(mode: Mode, checked: boolean): HTMLElement {
    const radio = element("input", "visually-hidden");
    radio.type = "radio";
    radio.name = "mode";
    radio.value = mode.id;
    radio.checked = checked;
    radio.setAttribute("aria-describedby", this.#description.id);
    radio.addEventListener("change", () => this.#select(mode));
    return element("label", "mode", radio, element("span", "mode-label", mode.label));
  }

  #select(mode: Mode | undefined): void {
    this.#selected = mode;
    this.#description.textContent = mode?.description ?? "";
  }
}
