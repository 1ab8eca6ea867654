/** What a task is when it arrives: its place in its tree and in its chain of attempts, and what its submitter left open. */
import * as Either from "effect/Either"
import { DepthExceeded } from "../Errors.ts"
import { defaultGiveUpMs } from "../limits/Parking.ts"
import type { NewTask } from "./NewTask.ts"
import { isTerminal, type Task, type TaskId, titleOf } from "./Task.ts"

/** `parent` is the task whose agent submits it, `original` the one that it tries again; null where there is none in this store. */
interface Forebears {
  readonly parent: Pick<Task, "depth"> | null
  readonly original: Pick<Task, "attempt" | "rootId"> | null
}

/** The fields that are decided on arrival. */
export const arrivalOf = (task: NewTask, { original, parent }: Forebears, maxDepth: number) => {
  const depth = parent === null ? task.depth : parent.depth + 1
  if (depth > maxDepth) return Either.left(new DepthExceeded({ depth, limit: maxDepth }))
  return Either.right({
    depth,
    attempt: (original?.attempt ?? 0) + 1,
    rootId: original === null ? null : (original.rootId ?? task.retryOf),
    title: titleOf(task.prompt),
    status: "queued" as const,
    account: task.account?.key ?? null,
    group: task.group ?? null,
    onLimit: task.onLimit ?? "park",
    giveUpMs: task.giveUpMs ?? defaultGiveUpMs,
    fallback: task.fallback ?? [],
    spare: task.spare ?? false,
    workspaceId: task.workspace?.id ?? null
  })
}

/** What no arrival decides: nothing has happened to the task yet. */
export const unstarted = {
  goalId: null,
  parks: 0,
  parkedAt: null,
  frozenAt: null,
  wakes: 0,
  retriedBy: null,
  continueFrom: null,
  dependsOn: [],
  waitingOn: 0,
  asks: 0,
  pipelineId: null,
  startedAt: null,
  endedAt: null,
  cancelRequestedAt: null,
  cancelReason: null,
  cancelledBy: null,
  cause: null,
  exitCode: null,
  signal: null,
  error: null,
  failureClass: null,
  failureResetAt: null,
  bytesStored: 0,
  bytesDropped: 0,
  leftovers: 0,
  usage: null,
  answer: null
} satisfies Partial<Task>

/** Whether two submits with the same idempotency key ask for the same work. */
export const isSameWork = (
  left: Pick<NewTask, "agent" | "directory" | "prompt">,
  right: Pick<NewTask, "agent" | "directory" | "prompt">
): boolean => left.agent === right.agent && left.directory === right.directory && left.prompt === right.prompt

/** The session that a new task needs for itself: two tasks in it would each lose what the other says. Null: it needs none. */
export const sessionOf = ({ agent, continuation, directory, sessionId }: NewTask) =>
  continuation === "session" && sessionId !== null ? { agent, directory, sessionId } : null

/** The stored tasks that a new one refers to. */
export const upstreamsOf = ({ continueFrom, dependsOn }: NewTask): ReadonlyArray<TaskId> =>
  [continueFrom, ...dependsOn.map(({ upstream }) => upstream)].filter((one) => typeof one === "string")

/** Without stored tasks that are gone: what a retry refers to may have been pruned since the retry was prepared. */
export const withoutPruned = (task: NewTask, gone: ReadonlyArray<TaskId>): NewTask => {
  const isKept = (upstream: unknown) => !gone.some((id) => id === upstream)
  return {
    ...task,
    dependsOn: task.dependsOn.filter(({ upstream }) => isKept(upstream)),
    continueFrom: isKept(task.continueFrom) ? task.continueFrom : null
  }
}

/** Whether a stored task uses this session until it has ended. */
export const usesSession = (
  { agent, directory, sessionId, status }: Pick<Task, "agent" | "directory" | "sessionId" | "status">,
  session: NonNullable<ReturnType<typeof sessionOf>>
): boolean =>
  !isTerminal(status) && agent === session.agent && directory === session.directory && sessionId === session.sessionId
