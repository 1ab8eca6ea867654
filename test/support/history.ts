/** What a random history of a queue should have come to: the model that stores are compared with. */
import * as FastCheck from "effect/FastCheck"
import type { Task, TaskId, TaskStatus, TerminalStatus } from "../../src/domain/task/Task.ts"
import type { Holder } from "../../src/services/WorkerRegistry.ts"

/** One random step: which task it is about, and a number that decides the details. */
export interface Move {
  readonly kind: "submit" | "claim" | "finish" | "requeue" | "cancel" | "adopt"
  readonly pick: number
  /** 0 to 23; from 20 on the step is made by somebody who may not. */
  readonly how: number
}

export const anyMove: FastCheck.Arbitrary<Move> = FastCheck.record({
  kind: FastCheck.constantFrom("submit", "submit", "claim", "claim", "finish", "requeue", "cancel", "adopt"),
  pick: FastCheck.nat(100),
  how: FastCheck.nat(23)
})

export interface Tracked {
  readonly id: TaskId
  readonly seq: number
  readonly priority: Task["priority"]
  status: TaskStatus
  claim: Holder | null
  /** A claim of it that does not hold any more. */
  earlier: Holder | null
  asked: boolean
  /** The row as it was when the task ended. */
  final: Task | null
}

export class History {
  readonly all: Array<Tracked> = []
  /** In the order in which they ended. */
  readonly ends: Array<Tracked> = []

  submitted({ id, priority, seq }: Task): void {
    const fresh = { status: "queued", claim: null, earlier: null, asked: false, final: null } as const
    this.all.push({ ...fresh, id, priority, seq })
  }

  claimed({ claimId, workerId, taskId }: Holder & { readonly taskId: TaskId }): void {
    const one = this.all.find((task) => task.id === taskId)
    if (one === undefined) return
    one.status = "running"
    one.claim = { claimId, workerId }
  }

  requeued(one: Tracked): void {
    if (one.asked) {
      this.over(one, "cancelled")
      return
    }
    one.status = "queued"
    one.earlier = one.claim
    one.claim = null
  }

  over(one: Tracked, status: TerminalStatus): void {
    one.status = status
    one.earlier = one.claim ?? one.earlier
    one.claim = null
    this.ends.push(one)
  }

  pick(number: number): Tracked | undefined {
    return this.all[number % Math.max(1, this.all.length)]
  }

  count(status: TaskStatus): number {
    return this.all.filter((one) => one.status === status).length
  }
}

/** The task that the next claim must get, if any. */
export const expectedClaim = (history: History, maxConcurrency: number): Tracked | undefined => {
  if (history.count("running") >= maxConcurrency) return undefined
  const queued = history.all.filter((one) => one.status === "queued")
  return queued.sort((left, right) => left.priority.localeCompare(right.priority) || left.seq - right.seq)[0]
}
