/** What happened in a torture run, as its processes saw it. The checker compares the database with this. */
import { appendFileSync } from "node:fs"
import { jumpMs } from "./faults/FaultPlan.ts"

/** What was done to a task and can explain its end. */
export type Hurt = "agent" | "shim" | "reboot" | "cancel" | "stop" | "empty"

/** A broken promise. */
export interface Breach {
  /** Which promise, in a word or two. */
  readonly invariant: string
  /** Id of the task, else its key; null for what concerns no single task. */
  readonly task: string | null
  readonly detail: string
}

interface Entry {
  readonly at: number
  readonly task: string | null
  readonly what: string
}

export interface AskedEdge {
  /** An id that an earlier command printed. */
  readonly upstream: string
  readonly policy: string
}

/** An answer that a command gave about a task: compared with what is stored in the end. */
export interface Answer {
  readonly task: string
  readonly by: "wait" | "logs" | "cancel"
  readonly code: number
  readonly stdout: Buffer
}

/** The outcome of a request for a change, as the client learned it. */
export interface ChangeOutcome {
  readonly outcome: "done" | "refused" | "unsure"
  /** The task that the answer names. */
  readonly id: string | null
}

const add = <A>(map: Map<string, Set<A>>, key: string, item: A): void => {
  const known = map.get(key)
  if (known === undefined) map.set(key, new Set([item]))
  else known.add(item)
}

export class Chronicle {
  readonly #entries: Array<Entry> = []
  readonly #file: string
  readonly #began = Date.now()
  /** Ids by key, noted after the submitter received them. */
  readonly accepted = new Map<string, string>()
  /** Submissions without a key whose answer never came. */
  readonly unsure = new Set<string>()
  /** Names of schedules that were created. */
  readonly schedules = new Set<string>()
  readonly acceptedLoops = new Map<string, string>()
  /** By id. */
  readonly cancelledLoops = new Set<string>()
  readonly acceptedPipelines = new Map<string, string>()
  /** What the submitter of a key asked to wait for. */
  readonly edges = new Map<string, ReadonlyArray<AskedEdge>>()
  /** The task that the submitter of a key asked to continue from. */
  readonly continued = new Map<string, string>()
  /** By key: each task is edited, and retried or resumed by hand, once at most. */
  readonly edits = new Map<string, ChangeOutcome>()
  readonly resubmits = new Map<string, ChangeOutcome>()
  /** By id. */
  readonly hurts = new Map<string, Set<Hurt>>()
  readonly answers: Array<Answer> = []
  readonly breaches: Array<Breach> = []
  readonly faults: Record<string, number> = {}
  readonly failpoints: Record<string, number> = {}
  /** What was done with the work of isolated tasks, and how often. */
  readonly work: Record<string, number> = {}
  /** Kinds of faults that cannot come on this machine, and why. */
  readonly unable = new Map<string, string>()
  /** By id: when its output was emptied last, in seconds since the boot of the machine, and how often. */
  readonly emptied = new Map<string, { readonly times: number; readonly uptime: number }>()
  /** What claims were seen to have reserved of the budget, in tokens. */
  readonly reserves = new Map<string, number>()
  /** When the budget was raised, so that all tasks fit; null before that. */
  raisedAt: number | null = null
  kills = 0
  /** Rows of ended tasks as they were when they were first seen to have ended, by id. */
  readonly endings = new Map<string, string>()
  samples = 0

  constructor(file: string) {
    this.#file = file
  }

  get elapsed(): number {
    return Date.now() - this.#began
  }

  /** A stored time as the clock would have shown it, had it not been set. */
  timeOf(stored: number): number {
    const now = Date.now()
    return [0, jumpMs, -jumpMs].map((ahead) => stored - ahead).find((at) => Math.abs(now - at) < jumpMs / 2) ?? stored
  }

  note(task: string | null, what: string): void {
    const entry = { at: this.elapsed, task, what }
    this.#entries.push(entry)
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`)
  }

  hurt(task: string, how: Hurt): void {
    add(this.hurts, task, how)
    this.note(task, `hurt: ${how}`)
  }

  fault(kind: string, kills: number): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1
    this.kills += kills
  }

  did(what: string): void {
    this.work[what] = (this.work[what] ?? 0) + 1
  }

  failpoint(name: string): void {
    this.failpoints[name] = (this.failpoints[name] ?? 0) + 1
    this.kills += 1
  }

  breach(invariant: string, task: string | null, detail: string): void {
    this.breaches.push({ invariant, task, detail })
  }

  /** What was noted of a task, under its id or its key. */
  about(names: ReadonlyArray<string>): ReadonlyArray<string> {
    return this.#entries
      .filter(({ task }) => task !== null && names.includes(task))
      .map(({ at, what }) => `${(at / 1000).toFixed(3)} s ${what}`)
  }
}
