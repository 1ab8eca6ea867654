/** Finds programs the way a shell does, on a PATH that may be another process's. */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Effect from "effect/Effect"

const isProgram = (path: string): boolean => {
  try {
    Fs.accessSync(path, Fs.constants.X_OK)
    return Fs.statSync(path).isFile()
  } catch {
    return false
  }
}

/** The absolute path of a program; null when there is none. Relative PATH entries, and paths, count from `directory`. */
export const find = (program: string, path: string | undefined, directory: string): Effect.Effect<string | null> =>
  Effect.sync(() => {
    if (program.includes("/")) {
      // A shell would have expanded it; the config file is read by none.
      const home = process.env.HOME ?? ""
      const expanded = program.startsWith("~/") && home !== "" ? Path.join(home, program.slice(2)) : program
      const whole = Path.resolve(directory, expanded)
      return isProgram(whole) ? whole : null
    }
    const places = (path ?? "/usr/local/bin:/usr/bin:/bin").split(Path.delimiter)
    const candidates = places.map((place) => Path.resolve(directory, place === "" ? "." : place, program))
    return candidates.find(isProgram) ?? null
  })

export const isRoot: Effect.Effect<boolean> = Effect.sync(() => process.getuid?.() === 0)

const readUmask = (): number => {
  try {
    const found = /^Umask:\s*([0-7]+)$/m.exec(Fs.readFileSync("/proc/self/status", "utf8"))
    if (found?.[1] !== undefined) return Number.parseInt(found[1], 8)
  } catch {
    // No Linux.
  }
  return process.umask()
}

let knownUmask: number | undefined

/**
 * The file mode mask of this process, which never changes its own: it is read once, since a batch asks for each of its tasks. Asking
 * the system for it sets it for a moment, so Linux is asked by a file (4.7 on).
 */
export const umask: Effect.Effect<number> = Effect.sync(() => {
  knownUmask ??= readUmask()
  return knownUmask
})

/** The niceness of this process, -20 to 19. */
export const niceness: Effect.Effect<number> = Effect.sync(() => Os.getPriority())
