/** Makes the file that `beat` starts with out of src/launcher.cjs. */
import { readFile } from "node:fs/promises"
import { transform } from "esbuild"

/** `digests` maps the name of each bundle in the same directory to the digest of its contents. */
export const bootstrap = async (digests, version) => {
  const { code } = await transform(await readFile(new URL("../src/launcher.cjs", import.meta.url), "utf8"), {
    minify: true,
    target: "node12",
    define: { __BUNDLE_DIGESTS__: JSON.stringify(digests), __BACKBEAT_VERSION__: JSON.stringify(version) }
  })
  return code
}
