/** One look at the queue for the live screen: the rows that it shows, and what each of them waits for. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type Gate, gatesBefore } from "../../domain/gates/Gate.ts"
import { loopHolding, pausesOf } from "../../domain/gates/loopHold.ts"
import { type AccountLimits, keepsTasks } from "../../domain/limits/AccountLimits.ts"
import type { LoopId } from "../../domain/loop/LoopId.ts"
import type { Question } from "../../domain/questions/Question.ts"
import { isAsking } from "../../domain/task/isAsking.ts"
import type { TaskId, TaskStatus, TaskSummary } from "../../domain/task/Task.ts"
import type { Claim } from "../../domain/worker/Claim.ts"
import { isServing } from "../../domain/worker/Worker.ts"
import type { WorkspaceId } from "../../domain/workspace/WorkspaceId.ts"
import { Budgets } from "../../services/Budgets.ts"
import { Gates } from "../../services/Gates.ts"
import { Ledger } from "../../services/Ledger.ts"
import { Limits } from "../../services/Limits.ts"
import { Questions } from "../../services/Questions.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { type Counts, type ListFilter, Tasks } from "../../services/Tasks.ts"
import { WorkerRegistry } from "../../services/WorkerRegistry.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { type Neglected, neglectOf } from "../serving/Neglect.ts"
import { type Seen, seenWorkers } from "../serving/Seen.ts"

/** What a queued task waits for, or a running one that asks a person; of several things the one that `beat why` names. */
export type Wait =
  | { readonly kind: "tasks"; readonly first: TaskId | null; readonly count: number }
  | { readonly kind: "time"; readonly at: number }
  | { readonly kind: "gate"; readonly gate: Gate }
  /** It is the step of a pipeline that stands for a loop, which is open. */
  | { readonly kind: "loop"; readonly loop: LoopId }
  | { readonly kind: "group"; readonly group: string; readonly running: number; readonly limit: number }
  | { readonly kind: "limit"; readonly window: string; readonly opensAt: number }
  /** Its oldest open question; null: it was answered a moment ago. */
  | { readonly kind: "asks"; readonly question: Pick<Question, "id" | "text" | "options"> | null }
  | { readonly kind: "budget"; readonly budget: string; readonly opensAt: number | null }
  /** Another task works in its workspace. */
  | { readonly kind: "workspace"; readonly by: TaskId }
  /** Workspaces hold as much as they may, and it needs a new one. */
  | { readonly kind: "disk"; readonly bytes: number; readonly maxBytes: number }

export interface TopRow {
  readonly task: TaskSummary
  /** Claimed, and its agent has not started. */
  readonly starting: boolean
  /** Why no worker looks after it although it runs. */
  readonly neglect: Neglected | null
  readonly wait: Wait | null
}

/** It waits for a person, whether its agent runs or not. */
export const asksPerson = ({ task }: Pick<TopRow, "task">): boolean => isAsking(task)

export interface TopView {
  readonly counts: Counts
  readonly running: ReadonlyArray<TopRow>
  /** In the order of submission. */
  readonly queued: ReadonlyArray<TopRow>
  /** The newest first. */
  readonly ended: ReadonlyArray<TopRow>
  /** Whether more tasks fit the filter than are shown. */
  readonly more: boolean
  readonly gates: ReadonlyArray<Gate>
  /** Accounts that a limit keeps closed. */
  readonly limits: ReadonlyArray<AccountLimits>
  /** US dollars since midnight. */
  readonly costToday: number
  /** Workers that serve the queue. */
  readonly workers: number
  readonly at: number
}

export interface LookRequest {
  readonly filter: Omit<ListFilter, "limit" | "before" | "parentId">
  /** What the title or the id has to contain, in lower case; empty: anything. */
  readonly text: string
  /** Rows of each kind at most. */
  readonly limit: number
}

const open: ReadonlyArray<TaskStatus> = ["running", "queued"]
const over: ReadonlyArray<TaskStatus> = ["completed", "failed", "cancelled"]

/** Rows that are searched for a text. */
const searched = 1000

const midnightBefore = (now: number): number => {
  const day = new Date(now)
  return new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime()
}

const blockedOf = (tasks: ReadonlyArray<TaskSummary>) => tasks.filter(({ waitingOn }) => waitingOn > 0)

/** A worker is watched by its process too: one that was killed writes nothing about it. */
const sightOf = (seen: ReadonlyArray<Seen>): string =>
  seen.map(({ serving, worker }) => `${worker.id} ${serving}`).join("\n")

export const makeLook = Effect.gen(function* () {
  const tasks = yield* Tasks
  const registry = yield* WorkerRegistry
  const gates = yield* Gates
  const limits = yield* Limits
  const ledger = yield* Ledger
  const questions = yield* Questions
  const budgets = yield* Budgets
  const workspaces = yield* Workspaces
  const settings = yield* SettingsStore
  let sight = ""
  let spent = { ended: -1, day: 0, costUsd: 0 }

  const rowsOf = Effect.fnUntraced(function* ({ filter, limit, text }: LookRequest, status: ReadonlyArray<TaskStatus>) {
    const wanted = filter.status.length === 0 ? status : status.filter((one) => filter.status.includes(one))
    if (wanted.length === 0) return { tasks: [], more: false }
    const page = yield* tasks.list({
      ...filter,
      status: wanted,
      limit: text === "" ? limit : searched,
      parentId: null,
      before: null
    })
    const fits =
      text === ""
        ? page.tasks
        : page.tasks.filter(({ id, title }) => id.includes(text) || title.toLowerCase().includes(text))
    return { tasks: fits.slice(0, limit), more: page.more > 0 || fits.length > limit }
  })

  /** Asked for again only when something has ended or the day has changed. */
  const costToday = Effect.fnUntraced(function* (counts: Counts, now: number) {
    const ended = counts.completed + counts.failed + counts.cancelled
    const day = midnightBefore(now)
    if (spent.ended === ended && spent.day === day) return spent.costUsd
    const { total } = yield* ledger.report({ from: day, to: now + 1, by: [], days: [] })
    spent = { ended, day, costUsd: total.costUsd }
    return total.costUsd
  })

  /** The oldest open question of each task that asks one. */
  const askedBy = Effect.fnUntraced(function* (rows: ReadonlyArray<TaskSummary>) {
    const asked = new Map<TaskId, Question>()
    if (!rows.some(isAsking)) return asked
    for (const question of yield* questions.open) {
      if (question.taskId !== null && !asked.has(question.taskId)) asked.set(question.taskId, question)
    }
    return asked
  })

  /** What keeps tasks from their workspaces. A workspace that is planned needs room on the disk. */
  const roomOf = Effect.fnUntraced(function* (queued: ReadonlyArray<TaskSummary>) {
    const none = { working: new Map<WorkspaceId, TaskId>(), planned: new Set<WorkspaceId>(), bytes: 0, maxBytes: 0 }
    if (!queued.some(({ workspaceId }) => workspaceId !== null)) return none
    const working = yield* workspaces.working
    // A configuration that cannot be read keeps nothing off the screen.
    const maxBytes = yield* settings.get.pipe(
      Effect.map(({ workspaceMaxBytes }) => workspaceMaxBytes),
      Effect.catchTag("ConfigInvalid", () => Effect.succeed(null))
    )
    const { bytes } = yield* workspaces.held
    if (maxBytes === null || bytes < maxBytes) return { ...none, working }
    const planned = yield* workspaces.list({ state: ["planned"], limit: 1000 })
    return { working, planned: new Set(planned.map(({ workspace }) => workspace.id)), bytes, maxBytes }
  })

  /** What each of these tasks waits for, in the order of `why`: a statement for each kind of reason, whatever their number. */
  const waitsOf = Effect.fnUntraced(function* (
    running: ReadonlyArray<TaskSummary>,
    queued: ReadonlyArray<TaskSummary>,
    closed: ReadonlyArray<AccountLimits>,
    closedGates: ReadonlyArray<Gate>,
    now: number
  ) {
    const blocked = blockedOf(queued)
    const edges =
      blocked.length === 0
        ? []
        : yield* tasks.edges(
            blocked.map(({ id }) => id),
            1000
          )
    const asked = yield* askedBy([...running, ...queued])
    const groups = queued.some(({ group }) => group !== null) ? yield* gates.groups : []
    const ready = queued.filter(({ asks, waitingOn }) => asks === 0 && waitingOn === 0)
    const holds = ready.length === 0 ? new Map() : yield* budgets.holdsOf(ready.map(({ id }) => id))
    const room = yield* roomOf(ready)
    const asking = ({ id }: TaskSummary): Wait => ({ kind: "asks", question: asked.get(id) ?? null })
    const workspaceWait = ({ id, workspaceId }: TaskSummary): Wait | null => {
      if (workspaceId === null) return null
      const by = room.working.get(workspaceId)
      if (by !== undefined && by !== id) return { kind: "workspace", by }
      return room.planned.has(workspaceId) ? { kind: "disk", bytes: room.bytes, maxBytes: room.maxBytes } : null
    }
    const waitOf = (task: TaskSummary): Wait | null => {
      if (task.waitingOn > 0) {
        const first = edges.find(({ state, to }) => to === task.id && state === "pending")?.from ?? null
        return { kind: "tasks", first, count: task.waitingOn }
      }
      if (task.notBefore !== null && task.notBefore > now) return { kind: "time", at: task.notBefore }
      if (isAsking(task)) return asking(task)
      const [gate] = gatesBefore(closedGates, task, now)
      const loop = gate === undefined ? null : loopHolding(gate)
      if (loop !== null) return { kind: "loop", loop }
      if (gate !== undefined) return { kind: "gate", gate }
      const group = groups.find(({ name }) => name === task.group)
      if (group?.limit !== undefined && group.limit !== null && group.running >= group.limit) {
        return { kind: "group", group: group.name, running: group.running, limit: group.limit }
      }
      const account = closed.find((one) => one.account === task.account)
      if (task.spare && account?.spare != null) {
        return { kind: "limit", window: account.spare.window, opensAt: account.spare.opensAt }
      }
      if (account?.opensAt !== undefined && account.opensAt !== null) {
        return { kind: "limit", window: account.window ?? "", opensAt: account.opensAt }
      }
      const hold = holds.get(task.id)
      if (hold !== undefined) return { kind: "budget", budget: hold.budget.name, opensAt: hold.budget.to }
      return workspaceWait(task)
    }
    return new Map<TaskId, Wait | null>([
      ...queued.map((task) => [task.id, waitOf(task)] as const),
      ...running.filter(isAsking).map((task) => [task.id, asking(task)] as const)
    ])
  })

  const look = Effect.fn("top.look")(function* (request: LookRequest) {
    const now = yield* Clock.currentTimeMillis
    const counts = yield* tasks.counts
    const some = (status: ReadonlyArray<TaskStatus>) =>
      status.every((one) => counts[one] === 0) ? Effect.succeed({ tasks: [], more: false }) : rowsOf(request, status)
    const [running, queued] = yield* Effect.forEach(open, (status) => some([status]))
    const ended = yield* some(over)
    const closedGates = yield* gates.list
    const closed = counts.queued === 0 ? [] : (yield* limits.list).filter(keepsTasks)
    const waits = yield* waitsOf(running?.tasks ?? [], queued?.tasks ?? [], closed, closedGates, now)
    // Claims before workers: a worker registers before it claims, so that the owner of a claim seen here is on the list.
    const claims = counts.running === 0 ? [] : yield* registry.claims
    const claimOf = new Map<TaskId, Claim>(claims.map((claim) => [claim.taskId, claim]))
    const seen = yield* seenWorkers()
    sight = sightOf(seen)
    const row = (task: TaskSummary): TopRow => {
      const claim = task.status === "running" ? claimOf.get(task.id) : undefined
      return {
        task,
        starting: claim?.state === "claimed",
        neglect: claim === undefined ? null : neglectOf(claim, seen),
        wait: waits.get(task.id) ?? null
      }
    }
    const view: TopView = {
      counts,
      running: (running?.tasks ?? []).map(row),
      queued: (queued?.tasks ?? []).toReversed().map(row),
      ended: ended.tasks.map(row),
      more: [running, queued, ended].some((page) => page?.more === true),
      gates: pausesOf(closedGates),
      limits: closed.filter(({ opensAt }) => opensAt !== null),
      costToday: yield* costToday(counts, now),
      workers: seen.filter(({ serving }) => isServing(serving)).length,
      at: now
    }
    return view
  })

  return {
    look,
    /** Whether a worker was killed, stopped or continued since the last look. */
    workersChanged: Effect.map(seenWorkers(), (seen) => sightOf(seen) !== sight)
  }
})
