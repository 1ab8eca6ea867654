/**
 * Who starts after a limit, told by the order of claims and by no duration: a task that a limit parked is not overtaken by
 * work that came after it. With the end of every task this says that none waits longer than for those before it, however
 * fast the machine is.
 */
export const turnInvariant = "what a limit parked is not overtaken"

/** A park as it is on record. */
export interface Park {
  readonly claim_id: string
  readonly at: number
  readonly resets_at: number | null
}

/** A claim, and when it was given up; null: that is not on record, as for one of a task that has not ended. */
export interface Turn {
  readonly id: string
  readonly at: number
  readonly until: number | null
  readonly released: "parked" | "requeued" | null
}

/** A task of an account, with its claims in order. `seq`: its place in the queue. All have one priority. */
export interface Queued {
  readonly task: string
  readonly seq: number
  readonly account: string
  readonly endedAt: number | null
  /** A fault ended it: its agent may have met a limit that no park records. */
  readonly failed: boolean
  readonly turns: ReadonlyArray<Turn>
  readonly parks: ReadonlyArray<Park>
}

/** When a task that was parked waited, without the moments of its park and of its next claim. */
const waits = ({ endedAt, turns }: Queued) =>
  turns.flatMap(({ released, until }, index) =>
    released !== "parked" || until === null
      ? []
      : [{ from: until, to: turns[index + 1]?.at ?? endedAt ?? Number.POSITIVE_INFINITY }]
  )

/** Longer than an account of the run stays closed. */
const unrecordedMs = 60_000

/**
 * Whether nothing can have kept a task of the account from starting: all of its limits that are on record are over, and no
 * task of it runs, so that a place is free and no limit is met that is not on record yet.
 */
const isFree = (own: ReadonlyArray<Queued>, at: number): boolean =>
  own.every(
    ({ failed, parks, turns }) =>
      parks.every((park) => park.at > at || (park.resets_at !== null && park.resets_at < at)) &&
      turns.every(({ at: since, released, until }) => {
        const over = failed && released === null ? unrecordedMs : 0
        return since >= at || (until !== null && until + over < at)
      })
  )

/** Claims of tasks that came later, made while a parked one of the same account, or of an account that was free, waited. */
export const overtaken = (tasks: ReadonlyArray<Queued>): ReadonlyArray<string> => {
  const claims = tasks.flatMap(({ account, seq, task, turns }) => turns.map(({ at }) => ({ account, at, seq, task })))
  const ownOf = (account: string) => tasks.filter((task) => task.account === account)
  return tasks.flatMap((waiting) =>
    waits(waiting).flatMap(({ from, to }) =>
      claims
        .filter(({ at, seq }) => seq > waiting.seq && at > from && at < to)
        .filter(({ account, at }) => account === waiting.account || isFree(ownOf(waiting.account), at))
        .map(({ task }) => `task ${task} was claimed while ${waiting.task}, parked before it, waited`)
    )
  )
}
