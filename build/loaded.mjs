/** Loads a TypeScript module of the checkout into the build. */
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const root = fileURLToPath(new URL("..", import.meta.url))

/** What the module exports in its present source. `module` is a path from the root of the checkout. */
export const loaded = async (module) => {
  const { version } = JSON.parse(await readFile(`${root}package.json`, "utf8"))
  const { outputFiles } = await build({
    entryPoints: [`${root}${module}`],
    absWorkingDir: root,
    write: false,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    define: { __BACKBEAT_VERSION__: JSON.stringify(version) },
    logLevel: "warning"
  })
  return await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`)
}
