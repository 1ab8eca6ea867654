/** Tasks of the protocol: the handle is the id of a Backbeat task, so it is durable and valid in any process. */
import {
  CLIENT_CAPABILITIES_META_KEY,
  ProtocolError,
  ProtocolErrorCode,
  RELATED_TASK_META_KEY,
  type Server,
  type ServerContext
} from "@modelcontextprotocol/server"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import { isTerminal, TaskId, type TaskSummary } from "../../domain/task/Task.ts"
import { taskPage } from "../../programs/reports/taskPage.ts"
import { taskState } from "../../programs/reports/taskState.ts"
import { awaitEnds, onlyTasks } from "../../programs/tasks/awaitEnds.ts"
import { cancel, cancelWork } from "../../programs/tasks/cancel.ts"
import { latestAttempt } from "../../programs/tasks/latestAttempt.ts"
import { requireOwn } from "../../programs/tasks/requireOwn.ts"
import { submitterOf } from "../../programs/tasks/Submitter.ts"
import { Tasks } from "../../services/Tasks.ts"
import { linksOf, TaskStates } from "../TaskStates.ts"
import type { Tool, ToolFailure, ToolServices } from "../Tool.ts"
import { toolResult } from "../ToolResult.ts"
import { toolWords } from "../toolWords.ts"
import { failureText } from "./Failures.ts"
import type { Era, Run } from "./Run.ts"
import { Session } from "./Session.ts"

/** SEP-2663. The earlier protocol had tasks in its core, in another form (SEP-1686). */
const extension = "io.modelcontextprotocol/tasks"

const pollMs = 3000

/** The capabilities that a server of this protocol version declares. */
export const offersHandles = (era: Era) =>
  era === "modern"
    ? { extensions: { [extension]: {} } }
    : { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } }

const Declared = Schema.Struct({ extensions: Schema.Record({ key: Schema.String, value: Schema.Unknown }) })

/** Current clients declare that they take handles, and the server decides; earlier clients asked for one. */
export const wantsHandle = (era: Era, tool: Tool, asked: unknown, context: ServerContext): boolean => {
  if (era === "modern") {
    const declared: unknown = Reflect.get(context.mcpReq.envelope ?? {}, CLIENT_CAPABILITIES_META_KEY)
    return tool.mayBeTask && Schema.is(Declared)(declared) && extension in declared.extensions
  }
  if (asked !== undefined && !tool.mayBeTask) {
    throw new ProtocolError(ProtocolErrorCode.MethodNotFound, `${tool.name} cannot be run as a task`)
  }
  return asked !== undefined
}

const iso = (at: number): string => new Date(at).toISOString()

const statusOf = (era: Era, task: TaskSummary) => {
  if (!isTerminal(task.status)) return "working"
  // In the current protocol `failed` is only for protocol errors: a failed task counts as completed with a bad result.
  return task.status === "failed" && era === "modern" ? "completed" : task.status
}

const described = Effect.fn("handle.describe")(function* (era: Era, id: TaskId) {
  // An automatic retry continues the task: the handle represents the work, not one attempt.
  const { createdAt } = yield* (yield* Tasks).summary(id)
  const task = yield* latestAttempt(id)
  const state = yield* taskState(task.id)
  const words = toolWords(task.error ?? (state.waitsFor === null ? task.status : `queued, waits for ${state.waitsFor}`))
  const common = {
    taskId: id,
    status: statusOf(era, task),
    statusMessage: words,
    createdAt: iso(createdAt),
    lastUpdatedAt: iso(task.endedAt ?? task.startedAt ?? task.createdAt)
  }
  return era === "modern"
    ? { ...common, ttlMs: null, pollIntervalMs: pollMs }
    : { ...common, ttl: null, pollInterval: pollMs }
})

const decodeId = Schema.decodeUnknown(TaskId)

/** Handles are full ids: a prefix may match another task tomorrow. */
const known = (handle: string) =>
  decodeId(handle).pipe(
    Effect.mapError(() => new InvalidInput({ field: "taskId", problem: "is not a task id", example: "k3v9x2m7q4ab" }))
  )

export const createHandle = Effect.fn("handle.create")(function* (era: Era, handle: string) {
  const task = yield* described(era, yield* known(handle))
  return era === "modern" ? { resultType: "task", ...task } : { task }
})

const encodeStates = Schema.encode(TaskStates)

/** The answer that the call would have given if it had waited. */
const outcomeOf = Effect.fn("handle.outcome")(function* (id: TaskId) {
  const tasks = yield* Tasks
  const last = yield* latestAttempt(id)
  const state = yield* taskState(last.id)
  const [end] = yield* tasks.endsOf([last.id])
  const states = {
    tasks: [state],
    groups: null,
    pending: [],
    cursor: end?.seq ?? 0,
    more: false,
    timedOut: false,
    warnings: []
  }
  const value = yield* Effect.orDie(encodeStates(states))
  return { ...toolResult({ ...value }, linksOf(states)), ...(state.status === "completed" ? {} : { isError: true }) }
})

const Handle = Schema.standardSchemaV1(Schema.Struct({ taskId: Schema.String }))
const Update = Schema.standardSchemaV1(
  Schema.Struct({ taskId: Schema.String, inputResponses: Schema.optional(Schema.Unknown) })
)
const Page = Schema.standardSchemaV1(Schema.Struct({ cursor: Schema.optional(Schema.Unknown) }))

/** The place where a page of `tasks/list` begins, as the page before it has it. */
const placeOf = (cursor: unknown) => {
  if (cursor === undefined) return Effect.succeed(null)
  const problem = "is not the 'nextCursor' of an earlier page"
  return typeof cursor === "string" && /^\d{1,15}$/.test(cursor)
    ? Effect.succeed(Number(cursor))
    : new InvalidInput({ field: "cursor", problem, example: null })
}

const by = Effect.succeed({ justLaunched: false, onTrouble: () => Effect.void })

export const serveHandles = (server: Server, era: Era, run: Run): void => {
  const served = <A>(name: string, effect: Effect.Effect<A, ToolFailure, ToolServices>, { mcpReq }: ServerContext) =>
    run(
      name,
      Effect.mapError(effect, (failure) => new ProtocolError(ProtocolErrorCode.InvalidParams, failureText(failure))),
      mcpReq.signal
    )

  server.setRequestHandler("tasks/get", { params: Handle }, ({ taskId }, context) =>
    served(
      "tasks/get",
      Effect.gen(function* () {
        const id = yield* known(taskId)
        const task = yield* described(era, id)
        return era === "modern" && task.status === "completed" ? { ...task, result: yield* outcomeOf(id) } : task
      }),
      context
    )
  )

  server.setRequestHandler("tasks/cancel", { params: Handle }, ({ taskId }, context) =>
    served(
      "tasks/cancel",
      Effect.gen(function* () {
        const id = yield* known(taskId)
        yield* requireOwn(submitterOf((yield* Session).environment), [id], "cancel")
        const request = { reason: null, by: "the client" }
        if (era === "modern") {
          yield* cancelWork(id, request)
          return {}
        }
        if (isTerminal((yield* latestAttempt(id)).status)) {
          return yield* new InvalidInput({ field: "taskId", problem: "the task has ended already", example: null })
        }
        yield* cancel([id], { ...(yield* by), ...request, tree: false })
        return yield* described(era, id)
      }),
      context
    )
  )

  if (era === "modern") {
    // Backbeat's tasks never request input, so no answer can be expected.
    server.setRequestHandler("tasks/update", { params: Update }, ({ taskId }, context) =>
      served(
        "tasks/update",
        Effect.gen(function* () {
          yield* (yield* Tasks).summary(yield* known(taskId))
          return {}
        }),
        context
      )
    )
    return
  }

  server.setRequestHandler("tasks/result", { params: Handle }, ({ taskId }, context) =>
    served(
      "tasks/result",
      Effect.gen(function* () {
        const id = yield* known(taskId)
        yield* (yield* Tasks).summary(id)
        const session = yield* Session
        yield* awaitEnds(onlyTasks([id]), {
          ...(yield* by),
          cursor: 0,
          all: true,
          timeoutMs: 2 ** 31 - 1,
          enough: session.leaving,
          untilHeld: false
        })
        // This server is shutting down and has no answer yet. Only an error can say so.
        if (!isTerminal((yield* latestAttempt(id)).status)) {
          return yield* new InvalidInput({ field: "taskId", problem: "the task has not ended", example: null })
        }
        const result = yield* outcomeOf(id)
        return { ...result, _meta: { ...result._meta, [RELATED_TASK_META_KEY]: { taskId: id } } }
      }),
      context
    )
  )

  server.setRequestHandler("tasks/list", { params: Page }, ({ cursor }, context) =>
    served(
      "tasks/list",
      Effect.gen(function* () {
        const page = yield* taskPage({
          status: [],
          agent: null,
          labels: {},
          directory: null,
          parentId: null,
          since: null,
          limit: 20,
          before: yield* placeOf(cursor)
        })
        const found = yield* Effect.forEach(page.tasks, ({ id }) => described(era, id))
        return { tasks: found, ...(page.next === null ? {} : { nextCursor: String(page.next) }) }
      }),
      context
    )
  )
}
