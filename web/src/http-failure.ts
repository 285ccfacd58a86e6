import type { Failure } from "./chat-events.ts";
import { asString, type JsonObject, parseObject } from "./json.ts";

/**
 * Says in words why a response is no reply. Bro-Buddy itself answers with a problem document
 * (RFC 9457); the function URL, CloudFront and Lambda answer some requests on their own, with bodies
 * that are of no use to a reader.
 */
export async function failureFromResponse(response: Response): Promise<Failure> {
  const problem = isProblem(response) ? parseObject(await response.text()) : undefined;
  if (problem === undefined) await response.body?.cancel();
  return {
    code: asString(problem?.code) ?? codeOf(response.status),
    message: messageOf(problem, response.status),
    retryable: isWorthRetrying(response.status, problem !== undefined),
    retryAfterSeconds: parseRetryAfter(response.headers.get("retry-after"), Date.now()),
    requestId: asString(problem?.request_id) ?? response.headers.get("x-request-id") ?? undefined,
  };
}

/** RFC 9110 allows seconds or a date. */
export function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null || value.trim() === "") return undefined;
  const seconds = /^\s*\d+\s*$/.test(value)
    ? Number(value)
    : Math.ceil((Date.parse(value) - now) / 1000);
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

function codeOf(status: number): string {
  return status === 401 ? "unauthorized" : `http_${status}`;
}

function isProblem(response: Response): boolean {
  return /^application\/problem\+json\b/i.test(response.headers.get("content-type") ?? "");
}

function messageOf(problem: JsonObject | undefined, status: number): string {
  if (status === 401) return "This Bro-Buddy only talks to callers with a key.";
  return asString(problem?.detail) ?? asString(problem?.title) ?? platformMessage(status);
}

function platformMessage(status: number): string {
  if (status === 403) return "The door is closed: the server would not let this request through.";
  if (status === 413) return "That was too much text for one go.";
  if (status === 429) return "Too many people are asking at once. Give it a moment.";
  if (status >= 500) return "The server tripped before it could answer.";
  return `The server gave an answer that makes no sense here (HTTP ${status}).`;
}

function isWorthRetrying(status: number, isProblemDocument: boolean): boolean {
  // In a problem document 502 means that the service is set up wrongly, which the next try will not
  // mend. From the platform it means that one function crashed.
  if (status === 502) return !isProblemDocument;
  // The reader may find the key after all.
  return status === 401 || status === 408 || status === 429 || status >= 500;
}
