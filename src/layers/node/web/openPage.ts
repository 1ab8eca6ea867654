/** Opens the page in the user's browser. The address holds the token, so it is in no argument that `ps` would show. */
import { spawn } from "node:child_process"
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { Paths } from "../../../services/Paths.ts"

const opener = process.platform === "darwin" ? "open" : "xdg-open"

/** A file that only its user may read redirects the browser. */
const redirect = (url: string): string =>
  `<!doctype html><meta charset="utf-8"><title>Backbeat</title><meta http-equiv="refresh" content="0;url=${url}">\n`

const launch = (file: string) =>
  Effect.async<boolean>((resume) => {
    const child = spawn(opener, [file], { detached: true, stdio: "ignore" })
    child.once("error", () => resume(Effect.succeed(false)))
    child.once("spawn", () => resume(Effect.succeed(true)))
    child.unref()
  })

/** The file exists as long as the scope is open. False if no program that opens pages is installed. */
export const openPage = Effect.fn("web.openPage")(function* (url: string) {
  const { home } = yield* Paths
  const file = join(home, "web-open.html")
  const remove = Effect.sync(() => rmSync(file, { force: true }))
  yield* Effect.addFinalizer(() => remove)
  return yield* Effect.zipRight(
    Effect.sync(() => {
      rmSync(file, { force: true })
      writeFileSync(file, redirect(url), { flag: "wx", mode: 0o600 })
    }),
    launch(file)
  )
})
