/** Learns from the file system that a spool was written to, so that a silent agent costs next to nothing. */
import { type FSWatcher, watch } from "node:fs"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import type { ClaimId } from "../../../domain/worker/Claim.ts"
import { type SpoolFiles, sizeNow } from "./Spool.ts"

interface Bell {
  /** Done once, at the first change since it was hung up. */
  readonly rung: Deferred.Deferred<void>
  /** It was hung up just now: what happened before, it has not heard. */
  readonly fresh: boolean
}

interface SpoolWatcher {
  /** The bell of a claim. Null where the system does not report changes. */
  readonly at: (claimId: ClaimId, files: SpoolFiles) => Effect.Effect<Bell | null>
  readonly remove: (claimId: ClaimId) => void
}

interface Hung {
  readonly watcher: FSWatcher
  readonly rung: Deferred.Deferred<void>
  readonly ring: () => void
  readonly files: SpoolFiles
  /** What the files were like when it was hung up. */
  readonly sizes: string
}

/**
 * The system drops reports when there are too many. Once in so many milliseconds one timer compares the sizes of the files of all
 * silent agents: a few calls for each, where a look by its supervisor is a hundred times that.
 */
const compareMs = 2000

const sizesOf = ({ exit, stderr, stdout }: SpoolFiles): string => {
  try {
    return `${sizeNow(stdout)} ${sizeNow(stderr)} ${sizeNow(exit)}`
  } catch {
    return "unreadable"
  }
}

/** Other systems report changes late, or only some of them. */
const prompt = process.platform === "linux"

/** All are taken down when the scope closes. */
export const makeSpoolBells = Effect.gen(function* () {
  const hung = new Map<ClaimId, Hung>()

  let timer: NodeJS.Timeout | null = null

  const compare = (): void => {
    for (const { files, ring, sizes } of Array.from(hung.values())) if (sizesOf(files) !== sizes) ring()
    if (hung.size > 0 || timer === null) return
    clearInterval(timer)
    timer = null
  }

  const remove = (claimId: ClaimId): void => {
    hung.get(claimId)?.watcher.close()
    hung.delete(claimId)
  }

  const hang = (claimId: ClaimId, files: SpoolFiles): Hung | null => {
    try {
      const rung = Deferred.unsafeMake<void>(FiberId.none)
      const watcher = watch(files.directory, { persistent: false })
      // Rings once and comes down: an agent that prints a lot is looked at anyway.
      const ring = () => {
        if (hung.get(claimId)?.watcher === watcher) hung.delete(claimId)
        watcher.close()
        Deferred.unsafeDone(rung, Effect.void)
      }
      watcher.on("change", ring).on("error", ring)
      const made: Hung = { watcher, rung, ring, files, sizes: sizesOf(files) }
      hung.set(claimId, made)
      timer ??= setInterval(compare, compareMs).unref()
      return made
    } catch {
      // No watches left, or no such directory: looking does it too.
      return null
    }
  }

  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const claimId of Array.from(hung.keys())) remove(claimId)
      compare()
    })
  )

  const bells: SpoolWatcher = {
    at: (claimId, files) =>
      Effect.sync(() => {
        const there = hung.get(claimId)
        if (there !== undefined) return { rung: there.rung, fresh: false }
        const made = prompt ? hang(claimId, files) : null
        return made === null ? null : { rung: made.rung, fresh: true }
      }),
    remove
  }
  return bells
})
