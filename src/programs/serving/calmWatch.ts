/**
 * Lets a worker with tasks leave out whole looks while nothing moves: no commit by any connection, no settings changed, no worker
 * gone and no time reached. Then no task can be claimed either, since `dueAt` has every time at which one could. A whole look each second
 * was most of the CPU time of a worker whose agents print nothing.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { elapsedMs } from "../../domain/Elapsed.ts"
import type { Settings } from "../../domain/settings/Settings.ts"
import { correction } from "../../domain/worker/SeenClock.ts"
import type { Worker } from "../../domain/worker/Worker.ts"
import { Processes } from "../../services/Processes.ts"

/** A whole look comes at least this often, in milliseconds, whatever the conditions below say. */
const wholeEveryMs = 30_000

/** What the waits after a look go by, until the next whole look. */
export interface Rhythm {
  /** How long a commit is left to the older workers, in milliseconds. */
  readonly rest: number
  /** Milliseconds between two looks at who is alive. */
  readonly liveness: number
  /** When something has to be done without a commit; null: never. */
  readonly dueAt: number | null
  readonly queued: number
  readonly running: number
  /** Memory was too short for a task: it may suffice at any moment, without a commit. */
  readonly short: boolean
  /** No other worker is there that could die. */
  readonly alone: boolean
}

/** What a whole look was about. */
export interface Ground {
  /** Changes with every commit, also of this process: read before anything else of the look. */
  readonly mark: string
  readonly settings: Settings
  /** The other workers, all of which lived. */
  readonly others: ReadonlyArray<Worker>
  readonly rhythm: Rhythm
}

interface Known extends Ground {
  readonly lookedAt: number
  /** The wall clock minus the clock that cannot be set. */
  readonly ahead: number
}

export interface CalmWatch {
  /** The rhythm of the last whole look while another would find nothing new; null: take one. */
  readonly holds: (mark: string, settings: Settings) => Effect.Effect<Rhythm | null, never, Processes>
  /** To be called after a whole look; null: what it found cannot be relied on. */
  readonly looked: (ground: Ground | null) => Effect.Effect<void>
  /** Runs something that follows from commits and from times that are listed: once after each whole look while nothing moves, else always. */
  readonly rarely: <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.Effect<void, E, R>
}

const ahead = Effect.zipWith(Clock.currentTimeMillis, elapsedMs, (wall, elapsed) => wall - elapsed)

export const makeCalmWatch = (): CalmWatch => {
  let known: Known | null = null
  return {
    // Without a span: this is most of what an idle worker does.
    holds: Effect.fnUntraced(function* (mark, settings) {
      if (known === null || known.mark !== mark || known.settings !== settings) return null
      const { others, rhythm } = known
      if ((yield* elapsedMs) - known.lookedAt >= wholeEveryMs) return null
      if (rhythm.dueAt !== null && rhythm.dueAt <= (yield* Clock.currentTimeMillis)) return null
      if (Math.abs((yield* ahead) - known.ahead) > correction) return null
      const processes = yield* Processes
      for (const { process } of others) if ((yield* processes.alive(process)) !== "alive") return null
      return rhythm
    }),
    looked: (ground) =>
      Effect.gen(function* () {
        known = ground === null ? null : { ...ground, lookedAt: yield* elapsedMs, ahead: yield* ahead }
      }),
    rarely: (work) => {
      let done: Known | null = null
      return Effect.suspend(() => {
        if (known !== null && known === done) return Effect.void
        done = known
        return Effect.asVoid(work)
      })
    }
  }
}
