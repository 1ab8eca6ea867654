/**
 * A lock between processes for a short piece of work, as a file next to what it protects.
 *
 * Weighed: `proper-lockfile`, which takes a holder for dead by the modification time of its lock, so that a clock that jumps or
 * a machine that sleeps lets two holders in. Here a waiter measures on its own monotonic clock for how long the token has not
 * changed; that takes 80 lines. Drop it when Node has `flock(2)`. docs/decisions/0008-file-lock.md
 */
import { randomUUID } from "node:crypto"
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { elapsedMs } from "../../../domain/Elapsed.ts"
import { makePrivateDirectory } from "./PrivateDirectory.ts"
import { codeOf } from "./SystemCode.ts"

/** The lock could not be taken: `cause` is null when other processes held it for the whole time. */
export class LockUnavailable extends Data.TaggedError("LockUnavailable")<{
  readonly path: string
  readonly cause: unknown
}> {}

const holderOf = (path: string): string | null => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return null
  }
}

/** Removes the lock of `holder`, a process thought dead. A lock that another process took meanwhile is put back. */
const breakLock = (path: string, holder: string): void => {
  const aside = `${path}.${randomUUID()}`
  try {
    renameSync(path, aside)
    if (holderOf(aside) !== holder) linkSync(aside, path)
  } catch {
    // Another process broke or took it: the next attempt sees the current holder.
  } finally {
    rmSync(aside, { force: true })
  }
}

/**
 * Runs `work` under the lock file `path`, whose directory is created if need be. A holder that died is recognised by
 * having held without a change for `staleMs`, measured here, so that clocks of other machines do not matter.
 */
export const withFileLock = (path: string, options: { readonly waitMs: number; readonly staleMs: number }) => {
  const take = (token: string) =>
    Effect.try({
      try: () => {
        makePrivateDirectory(dirname(path))
        try {
          writeFileSync(path, token, { flag: "wx", mode: 0o600 })
          return true
        } catch (error) {
          if (codeOf(error) === "EEXIST") return false
          throw error
        }
      },
      catch: (cause) => new LockUnavailable({ path, cause })
    })

  const acquire = Effect.gen(function* () {
    const token = randomUUID()
    const began = yield* elapsedMs
    let seen: { readonly holder: string | null; readonly since: number } | null = null
    while (!(yield* take(token))) {
      const now = yield* elapsedMs
      const holder = holderOf(path)
      if (seen === null || seen.holder !== holder) seen = { holder, since: now }
      if (holder !== null && now - seen.since >= options.staleMs) breakLock(path, holder)
      else if (now - began >= options.waitMs) return yield* new LockUnavailable({ path, cause: null })
      else yield* Effect.interruptible(Effect.sleep("20 millis"))
    }
    return token
  })

  return <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | LockUnavailable, R> =>
    Effect.acquireUseRelease(
      acquire,
      () => work,
      (token) =>
        Effect.sync(() => {
          if (holderOf(path) === token) rmSync(path, { force: true })
        })
    )
}
