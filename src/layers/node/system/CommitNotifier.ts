/** Learns of commits from the file system: a waiting worker costs nothing, and wakes within milliseconds. */
import { type FSWatcher, watch } from "node:fs"
import { basename, dirname } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CommitNotifier } from "../../../services/CommitNotifier.ts"
import { Paths } from "../../../services/Paths.ts"

/** Time between two looks where the system does not report changes, in milliseconds. */
const pollMs = 40

/** A commit is several writes, and commits come in bursts: one wake-up for what happens within this time. */
const settleMs = 8

/**
 * The system reports a write to the WAL immediately, but the commit becomes visible only once it has reached the disk,
 * for which there is no event. On a slow disk the first look comes too early, so look again after each of these delays,
 * in milliseconds.
 */
const echoes = [16, 48, 128, 256, 512, 1024, 2048]

/** Node fires a timer of more milliseconds immediately. */
const longestTimer = 2 ** 31 - 1

const make = Effect.gen(function* () {
  const { database } = yield* Paths
  /** Calls that wait now. */
  const waiting = new Set<() => void>()
  /** Something was reported while no call waited. */
  let rung = false
  const log = `${basename(database)}-wal`
  let watcher: FSWatcher | null = null
  let echo = echoes.length

  // The directory is watched, not the file: the file is never opened here, and SQLite deletes and creates it again.
  const open = (): boolean => {
    if (watcher !== null) return true
    try {
      const opened = watch(dirname(database), { persistent: false }, (_event, name) => {
        if (name !== null && name !== log) return
        echo = 0
        rung = waiting.size === 0
        for (const hear of Array.from(waiting)) hear()
      })
      opened.on("error", () => {
        opened.close()
        if (watcher === opened) watcher = null
      })
      watcher = opened
      // The watcher does not report what was written before it was opened.
      echo = 0
      return true
    } catch {
      // No such directory yet, or no watches left: polling does it too.
      return false
    }
  }

  yield* Effect.addFinalizer(() => Effect.sync(() => watcher?.close()))
  // Other systems report writes late, or only some of them.
  const prompt = process.platform === "linux"

  return CommitNotifier.of({
    // Timers of the system and no fiber: an idle process does little else than call this.
    changed: (withinMs) =>
      Effect.async<void>((resume) => {
        const told = open()
        const bound = Math.min(withinMs, told && prompt ? (echoes[echo] ?? withinMs) : pollMs, longestTimer)
        const done = () => resume(Effect.void)
        let timer: NodeJS.Timeout | undefined
        const hear = () => {
          waiting.delete(hear)
          clearTimeout(timer)
          timer = setTimeout(done, settleMs)
        }
        if (rung) {
          rung = false
          hear()
        } else {
          waiting.add(hear)
          timer = setTimeout(() => {
            waiting.delete(hear)
            echo += 1
            done()
          }, bound)
        }
        return Effect.sync(() => {
          waiting.delete(hear)
          clearTimeout(timer)
        })
      })
  })
})

export const layer = Layer.scoped(CommitNotifier, make)
