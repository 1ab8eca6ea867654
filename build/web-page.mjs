/** Builds the page of `beat web`: its scripts and styles as one module of texts, so that it needs no file but its own. */
import { readFile } from "node:fs/promises"
import { basename } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const client = fileURLToPath(new URL("../src/web/client/", import.meta.url))

const types = { js: "text/javascript; charset=utf-8", css: "text/css; charset=utf-8", html: "text/html; charset=utf-8" }

const ending = (name) => name.slice(name.lastIndexOf(".") + 1)

/** The files of the page by path. Parts that not every page needs are in separate files. */
export const webAssets = async (isDev = false) => {
  const { outputFiles } = await build({
    entryPoints: [`${client}app.tsx`, `${client}app.css`],
    absWorkingDir: client,
    outdir: client,
    write: false,
    bundle: true,
    splitting: true,
    minify: !isDev,
    format: "esm",
    target: "es2022",
    platform: "browser",
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    charset: "utf8",
    logLevel: "warning",
    chunkNames: "[name]-[hash]"
  })
  const html = await readFile(`${client}index.html`, "utf8")
  return {
    "/": { type: types.html, body: html },
    ...Object.fromEntries(
      outputFiles.map(({ path, text }) => [`/${basename(path)}`, { type: types[ending(path)], body: text }])
    )
  }
}

/** The source of the module. */
export const webPage = async (isDev) => `exports.assets=${JSON.stringify(await webAssets(isDev))};\n`
