/**
 * `npm run dev -- list`: runs the present source. It builds into node_modules/.cache when a source file has changed, and
 * then starts what it has built.
 *
 * A TypeScript loader (`tsx`, 4.23, was weighed) does not do: a command starts its worker as `node FILE worker`, without the
 * loader, so FILE must be JavaScript; and Effect from 500 separate files takes 0.78 s to start.
 */
import { spawn } from "node:child_process"
import { readdirSync, statSync, writeFileSync } from "node:fs"
import { constants } from "node:os"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")
const directory = "node_modules/.cache/backbeat-dev"
const stamp = join(root, directory, ".built")

const modifiedAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

const newest = Math.max(
  ...["src", "migrations", "build", "package.json", "build.mjs"].flatMap((name) => [
    modifiedAt(join(root, name)),
    ...(name.includes(".")
      ? []
      : readdirSync(join(root, name), { recursive: true }).map((file) => modifiedAt(join(root, name, file))))
  ])
)

/** Settles with the exit code of the program, which has this terminal to itself. */
const run = (args, env = process.env) =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: "inherit", env })
    child.on("error", reject)
    child.on("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal]))
  })

if (newest >= modifiedAt(stamp)) {
  const code = await run([join(root, "build.mjs"), "--dev", directory])
  if (code !== 0) process.exit(code)
  writeFileSync(stamp, "")
}

// Ctrl-C reaches the program as well, which decides what it means.
process.on("SIGINT", () => {})
// The database of the installed program may have another schema than the source at hand.
const env = { BACKBEAT_HOME: join(root, "node_modules/.cache/backbeat-home"), ...process.env }
process.exitCode = await run([join(root, directory, "beat.cjs"), ...process.argv.slice(2)], env)
