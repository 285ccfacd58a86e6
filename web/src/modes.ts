import { asNumber, asObject, asString, parseObject } from "./json.ts";

/** A tone Bro-Buddy can take. */
export interface Mode {
  readonly id: string;
  readonly label: string;
  readonly description: string;
}

export interface Modes {
  readonly modes: readonly Mode[];
  readonly defaultId: string;
  /** The longest reply, in tokens; undefined if the server did not say. */
  readonly maxTokens: number | undefined;
}

const WAIT_MS = 10_000;

/** Undefined when the modes cannot be had in time: one can chat without, in the server's default. */
export async function fetchModes(url = "/api/modes", waitMs = WAIT_MS): Promise<Modes | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(waitMs) });
    return response.ok ? parseModes(await response.text()) : undefined;
  } catch {
    return undefined;
  }
}

export function parseModes(text: string): Modes | undefined {
  const object = parseObject(text);
  const modes = Array.isArray(object?.modes) ? object.modes.flatMap(parseMode) : [];
  const first = modes[0];
  if (object === undefined || first === undefined) return undefined;
  const named = modes.find((mode) => mode.id === object.default);
  return {
    modes,
    defaultId: (named ?? first).id,
    maxTokens: asNumber(asObject(object.limits)?.max_tokens),
  };
}

function parseMode(value: unknown): Mode[] {
  const object = asObject(value);
  const id = asString(object?.id);
  if (id === undefined) return [];
  return [
    {
      id,
      label: asString(object?.label) ?? id,
      description: asString(object?.description) ?? "",
    },
  ];
}
