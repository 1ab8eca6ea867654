/** Maps of services that are shared instead of copied, in bundles of processes that work for long. */
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"

/**
 * Effect copies the map of all services for each span and each service that it provides. A process that works for long takes
 * map-with.mjs instead. Remove this when effect/Context no longer copies, or `npm run bench -- --only drain` shows no difference.
 */
export const sharedContext = {
  name: "shared-context",
  setup(builder) {
    builder.onLoad({ filter: /[\\/]effect[\\/]dist[\\/]esm[\\/]internal[\\/]context\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8")
      const copies = [
        [
          /const map = new Map\(self\.unsafeMap\);\s*map\.set\(tag\.key, service\);\s*return makeContext\(map\);/,
          "return makeContext(mapWith(self.unsafeMap, tag.key, service));"
        ],
        [
          /const map = new Map\(self\.unsafeMap\);\s*for \(const \[tag, s\] of that\.unsafeMap\) \{\s*map\.set\(tag, s\);\s*\}\s*return makeContext\(map\);/,
          "return makeContext(mapWithAll(self.unsafeMap, that.unsafeMap));"
        ]
      ]
      const contents = copies.reduce((before, [copied, shared]) => {
        if (!copied.test(before)) throw new Error(`${path}: copies in another way`)
        return before.replace(copied, shared)
      }, text)
      const from = JSON.stringify(fileURLToPath(new URL("map-with.mjs", import.meta.url)))
      return { contents: `import { mapWith, mapWithAll } from ${from};\n${contents}`, loader: "js" }
    })
  }
}
