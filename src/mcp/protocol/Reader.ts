/** Serves tasks as resources: lists them, reads them, and completes their ids. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { InvalidInput, type TaskNotFound } from "../../domain/Errors.ts"
import { Task } from "../../domain/task/Task.ts"
import { readLog, start } from "../../programs/output/readLog.ts"
import { cutText } from "../../programs/reports/taskState.ts"
import { Agents } from "../../services/Agents.ts"
import { Tasks } from "../../services/Tasks.ts"
import { forModel } from "../forModel.ts"
import { outputLink, resultLink, scheme, taskLink } from "./Resources.ts"
import { Session } from "./Session.ts"

/** Bytes of output in one read. */
const maxBytes = 100_000

/** The most ids in one completion. */
const mostCompletions = 20

export const templates = [
  {
    uriTemplate: `${scheme}{id}`,
    name: "task",
    title: "Task",
    description: "The whole task as JSON",
    mimeType: "application/json"
  },
  {
    uriTemplate: `${scheme}{id}/output{?since,raw}`,
    name: "output",
    title: "Output of a task",
    description:
      "What the agent printed, as readable text (raw=true: without reading it, such as the agent's JSON lines), at most 100 kB; pass 'next' from '_meta' as 'since' to read on",
    mimeType: "text/plain"
  },
  {
    uriTemplate: `${scheme}{id}/result`,
    name: "result",
    title: "Answer of a task",
    description: "The agent's final answer in full",
    mimeType: "text/markdown"
  }
]

/** The newest tasks. */
export const listResources = Effect.gen(function* () {
  const tasks = yield* Tasks
  return (yield* tasks.newest(mostCompletions)).map(({ id, status, title }) => ({
    ...taskLink(id),
    title: cutText(title, 100),
    description: status
  }))
})

interface Content {
  readonly uri: string
  readonly mimeType: string
  readonly text: string
  readonly _meta?: { readonly [key: string]: unknown }
}

const pattern = /^backbeat:\/\/task\/([0-9a-z@]{1,64})(\/output|\/result)?(?:\?(.*))?$/

const encodeTask = Schema.encode(Task)

export const readResource = Effect.fn("readResource")(function* (uri: string) {
  const tasks = yield* Tasks
  const found = pattern.exec(uri)
  const reference = found?.[1]
  if (found === null || reference === undefined) {
    return yield* new InvalidInput({
      field: "uri",
      problem: "is not the address of a task",
      example: `${scheme}k3v9x2m7q4ab/output`
    })
  }
  const id = yield* tasks.resolve(reference)
  const content = (mimeType: string, text: string, meta?: Content["_meta"]): Content => ({
    uri,
    mimeType,
    text,
    ...(meta === undefined ? {} : { _meta: meta })
  })
  switch (found[2]) {
    case "/output": {
      const query = new URLSearchParams(found[3] ?? "")
      const page = yield* readLog(id, {
        raw: query.get("raw") === "true",
        since: query.get("since") ?? start,
        lines: 0,
        maxBytes
      })
      return content(outputLink(id).mimeType, page.text, { next: page.next, more: page.more, status: page.status })
    }
    case "/result": {
      const { answer, status } = yield* tasks.get(id)
      return content(resultLink(id).mimeType, answer ?? "", { status })
    }
    default: {
      const encoded = yield* Effect.orDie(encodeTask(yield* tasks.get(id)))
      return content(taskLink(id).mimeType, JSON.stringify(forModel({ ...encoded })))
    }
  }
})

const idsFor = Effect.fn("idsFor")(function* (beginning: string) {
  const tasks = yield* Tasks
  if (beginning === "") {
    return (yield* tasks.newest(mostCompletions)).map(({ id }) => id)
  }
  return yield* tasks.resolve(beginning).pipe(
    Effect.map((id): ReadonlyArray<string> => [id]),
    Effect.catchTags({
      AmbiguousReference: ({ candidates }) => Effect.succeed(candidates),
      TaskNotFound: (_: TaskNotFound) => Effect.succeed([])
    })
  )
})

/** Completions of the typed text. */
export const complete = Effect.fn("complete")(function* (argument: string, value: string) {
  switch (argument) {
    case "id":
      return yield* idsFor(value)
    case "ids": {
      const words = value.split(" ")
      const before = words.slice(0, -1)
      return (yield* idsFor(words.at(-1) ?? "")).map((id) => [...before, id].join(" "))
    }
    case "agent": {
      const agents = yield* Agents
      const session = yield* Session
      const known = yield* agents.list(session.environment)
      return known.map(({ name }) => name).filter((name) => name.startsWith(value))
    }
    default:
      return []
  }
})
