import { defineConfig } from "vitest/config";

// Drives the built page in Chromium: against a running Bro-Buddy if BRO_BUDDY_URL names one, else
// against a scripted one that these tests start.
export default defineConfig({
  test: {
    include: ["tests/browser/**/*.test.ts"],
    testTimeout: 90_000,
    hookTimeout: 60_000,
  },
});
