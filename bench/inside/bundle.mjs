/** Bundles a part of the benchmark that runs the product's own code in a process, with shared maps of services, as a worker has them. */
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { sharedContext } from "../../build/shared-context.mjs"

const at = (path) => fileURLToPath(new URL(path, import.meta.url))

/** The file to run. It lies under node_modules, where better-sqlite3 is found. */
export const bundled = async (name) => {
  const outfile = at(`../../node_modules/.cache/backbeat-bench/${name}.mjs`)
  await build({
    entryPoints: [at(`./${name}.ts`)],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    external: ["better-sqlite3"],
    plugins: [sharedContext],
    define: { __BACKBEAT_VERSION__: '"bench"' },
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url)' },
    logLevel: "warning"
  })
  return outfile
}
