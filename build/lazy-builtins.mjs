/** Loads some of Node's own modules at their first use: together they cost a tenth of a light command's start. */

/** Only what a command like `status` never calls. `node:fs` and `node:path` are loaded by Node itself anyway. */
const costly = ["node:crypto", "node:child_process", "node:fs/promises"]

/** A module with the same functions, each of which loads the real one. Classes are left out: a use fails the build. */
const standIn = async (name) => {
  const functions = Object.entries(await import(name)).filter(
    ([key, value]) => typeof value === "function" && /^[a-z]\w*$/.test(key)
  )
  return [
    "let loaded",
    `const real = () => (loaded ??= require(${JSON.stringify(name)}))`,
    ...functions.map(([key]) => `export const ${key} = (...given) => real().${key}(...given)`),
    ...(name === "node:fs/promises" ? ['export { constants } from "node:fs"'] : [])
  ].join("\n")
}

export const lazyBuiltins = {
  name: "lazy-builtins",
  setup(builder) {
    builder.onResolve({ filter: /^node:/ }, ({ namespace, path }) =>
      costly.includes(path) && namespace !== "lazy-builtins" ? { path, namespace: "lazy-builtins" } : undefined
    )
    builder.onLoad({ filter: /./, namespace: "lazy-builtins" }, async ({ path }) => ({ contents: await standIn(path) }))
  }
}
