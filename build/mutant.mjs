/** Patches the source of one build, so that the torture run can show that it reports a broken promise. */
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { loaded } from "./loaded.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))

export const allMutations = async () => (await loaded("test/torture/mutations/mutations.ts")).mutations

/**
 * The esbuild plugin that applies the mutation of this name, and the files it has not reached. A patch that does not match
 * exactly once fails the build.
 */
export const mutant = async (name) => {
  const { applyPatch, mutations } = await loaded("test/torture/mutations/mutations.ts")
  const mutation = mutations.find((one) => one.name === name)
  if (mutation === undefined) throw new Error(`there is no mutation '${name}'`)
  const files = new Set(mutation.patches.map(({ file }) => `${root}${file}`))
  const unreached = new Set(files)
  const plugin = {
    name: "mutant",
    setup(builder) {
      builder.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
        if (!files.has(path)) return undefined
        unreached.delete(path)
        const patches = mutation.patches.filter(({ file }) => path === `${root}${file}`)
        return { contents: patches.reduce(applyPatch, await readFile(path, "utf8")), loader: "ts" }
      })
    }
  }
  return { plugin, unreached }
}
