/** Patches the source of one build, so that the torture run can show that it reports a broken promise. */
import { fileURLToPath } from "node:url"
import { loaded } from "./loaded.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))

export const allMutations = async () => (await loaded("test/torture/mutations/mutations.ts")).mutations

/**
 * The mutation of this name: `patched` is the text of a file with its patches, and `unreached` has the patched files that no
 * bundle has asked for. A patch that does not match exactly once fails the build.
 */
export const mutant = async (name) => {
  const { applyPatch, mutations } = await loaded("test/torture/mutations/mutations.ts")
  const mutation = mutations.find((one) => one.name === name)
  if (mutation === undefined) throw new Error(`there is no mutation '${name}'`)
  const patchesOf = (path) => mutation.patches.filter(({ file }) => path === `${root}${file}`)
  const unreached = new Set(mutation.patches.map(({ file }) => `${root}${file}`))
  return {
    patched: (path, text) => patchesOf(path).reduce(applyPatch, text),
    reached: (path) => unreached.delete(path),
    unreached
  }
}
