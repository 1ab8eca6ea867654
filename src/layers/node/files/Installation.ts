/**
 * The installation as the file system shows it.
 * Not `FileSystem` of @effect/platform, which is 16 kB more: docs/decisions/0013-own-file-ports.md.
 */
import * as fs from "node:fs"
import { dirname, join, parse } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Installation } from "../../../services/Installation.ts"
import { foreignOwner, otherOwner } from "./Ownership.ts"

const attempt = <A>(run: () => A, fallback: A): A => {
  try {
    return run()
  } catch {
    return fallback
  }
}

const allows = (path: string, mode: number): boolean =>
  attempt(() => {
    fs.accessSync(path, mode)
    return true
  }, false)

const nearestDirectory = (path: string): string => {
  let current = path
  while (current !== parse(current).root && !fs.existsSync(current)) current = dirname(current)
  return current
}

const kindOf = (stat: fs.Stats) => (stat.isFile() ? "file" : stat.isDirectory() ? "directory" : "other")

export const layer = Layer.succeed(
  Installation,
  Installation.of({
    node: Effect.sync(() => process.versions.node),
    foreignOwner: (path) => Effect.sync(() => foreignOwner(path)),
    otherOwner: (path) => Effect.sync(() => otherOwner(path)),
    file: (path) =>
      Effect.sync(() => {
        const stat = attempt(() => fs.statSync(path, { throwIfNoEntry: false }), undefined)
        if (stat === undefined) {
          return { kind: "missing", mode: null, writable: allows(nearestDirectory(dirname(path)), fs.constants.W_OK) }
        }
        return { kind: kindOf(stat), mode: stat.mode & 0o777, writable: allows(path, fs.constants.W_OK) }
      }),
    tryWrite: (directory) =>
      Effect.sync(() => {
        try {
          fs.rmdirSync(fs.mkdtempSync(join(directory, ".try-")))
          return null
        } catch (error) {
          const code = error instanceof Error && "code" in error ? String(error.code) : "unknown"
          return code === "ENOENT" ? null : code
        }
      }),
    setMode: (path, mode) =>
      Effect.sync(() =>
        attempt(() => {
          fs.chmodSync(path, mode)
          return true
        }, false)
      ),
    freeBytes: (path) =>
      Effect.sync(() =>
        attempt(() => {
          const { bavail, bsize } = fs.statfsSync(nearestDirectory(path))
          return bavail * bsize
        }, null)
      ),
    entries: (directory) => Effect.sync(() => attempt(() => fs.readdirSync(directory).slice(0, 10_000), [])),
    removeDirectory: (path) =>
      Effect.sync(() =>
        attempt(() => {
          fs.rmSync(path, { recursive: true, force: true })
          return true
        }, false)
      )
  })
)
