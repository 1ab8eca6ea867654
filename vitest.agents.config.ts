/** Real coding agents against a fake model server: `npm run test:agents`. Needs the npm registry once, and loopback. */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/agents/**/*.test.ts"],
    pool: "forks",
    // Agents are big: one at a time.
    poolOptions: { forks: { maxForks: 1, minForks: 1 } },
    sequence: { concurrent: false },
    testTimeout: 120_000,
    hookTimeout: 300_000
  }
})
