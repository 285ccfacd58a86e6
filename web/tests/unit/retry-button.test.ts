// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { RetryButton } from "../../src/view/retry-button.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("a retry waits as long as the server asked", () => {
  const retry = vi.fn();
  const { element } = new RetryButton(2, retry);
  element.click();
  expect(element.textContent).toBe("Try again in 2 s");
  vi.advanceTimersByTime(1_000);
  expect(element.textContent).toBe("Try again in 1 s");
  element.click();
  expect(retry).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1_000);
  expect(element.textContent).toBe("Try again");
  element.click();
  expect(retry).toHaveBeenCalledOnce();
});

it("a retry without a wait is open at once", () => {
  const retry = vi.fn();
  new RetryButton(0, retry).element.click();
  expect(retry).toHaveBeenCalledOnce();
});

it("a retry never waits longer than a minute, whatever a header says", () => {
  const { element } = new RetryButton(86_400, vi.fn());
  vi.advanceTimersByTime(60_000);
  expect(element.textContent).toBe("Try again");
  expect(vi.getTimerCount()).toBe(0);
});
