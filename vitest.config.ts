import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const { version }: { version: string } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8"))

/** A file for the results as JSON, beside what the terminal shows. */
const results = process.env.TEST_RESULTS

export default defineConfig({
  define: { __BACKBEAT_VERSION__: JSON.stringify(version) },
  // The file that the build bundles: Vite does not find it by its name.
  resolve: {
    alias: {
      "chrono-node/en": fileURLToPath(new URL("node_modules/chrono-node/dist/cjs/locales/en/index.js", import.meta.url))
    }
  },
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/agents/**"],
    setupFiles: ["test/support/breath.ts"],
    reporters: results === undefined ? ["default"] : ["default", ["json", { outputFile: results }]],
    // Off unless asked for: `npm run coverage`.
    coverage: {
      provider: "v8",
      include: ["src/**/*.ts", "migrations/**/*.ts"],
      reporter: ["json-summary", "html"],
      reportOnFailure: true
    },
    pool: "forks",
    // More than the cores: most tests wait for processes.
    poolOptions: { forks: { maxForks: 5, minForks: 1 } },
    // A bound against what hangs, not on pace: the suite passes on a machine with a load of ten on two cores.
    testTimeout: 300_000,
    hookTimeout: 300_000
  }
})
