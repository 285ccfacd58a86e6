// @vitest-environment happy-dom
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ApiKey, parseKey } from "../../src/api-key.ts";

beforeEach(() => sessionStorage.clear());

describe("the key", () => {
  it("is there until the tab is closed", () => {
    expect(new ApiKey().value).toBeUndefined();
    new ApiKey().keep("k-1");
    expect(new ApiKey().value).toBe("k-1");
    expect(localStorage.length).toBe(0);
  });

  it("is kept by the page where storage is closed", () => {
    vi.stubGlobal("sessionStorage", {
      getItem: () => {
        throw new DOMException("denied", "SecurityError");
      },
      setItem: () => {
        throw new DOMException("denied", "SecurityError");
      },
    });
    const key = new ApiKey();
    key.keep("k-1");
    expect(key.value).toBe("k-1");
    vi.unstubAllGlobals();
  });

  it.each([
    ["  k-1\n", "k-1"],
    ["Bearer+/=._~", "Bearer+/=._~"],
    ["two words", undefined],
    ["schlüssel", undefined],
    ["", undefined],
    ["k".repeat(513), undefined],
  ])("%j is %j", (text, key) => {
    expect(parseKey(text)).toBe(key);
  });
});
