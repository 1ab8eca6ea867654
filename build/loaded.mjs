/** Loads a TypeScript module of the checkout into the build. */
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const root = fileURLToPath(new URL("..", import.meta.url))

/** What the module exports in its present source. `module` is a path from the root of the checkout. */
export const loaded = async (module) => {
  const { outputFiles } = await build({
    entryPoints: [`${root}${module}`],
    absWorkingDir: root,
    write: false,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    logLevel: "warning"
  })
  return await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`)
}
