/** Sends messages to the agent of a task: to the agent that runs, or to the next turn of its session. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { InvalidInput } from "../../domain/Errors.ts"
import {
  isSettled,
  type Message,
  MessageId,
  maxMessageBytes,
  type Recipient,
  type Route,
  routeOf
} from "../../domain/message/Message.ts"
import { MessageRefused } from "../../domain/message/MessageErrors.ts"
import type { TaskId, TaskSummary } from "../../domain/task/Task.ts"
import { Agents } from "../../services/Agents.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { Ids } from "../../services/Ids.ts"
import { Messages, type NewMessage } from "../../services/Messages.ts"
import { retryWhileBusy } from "../retryWhileBusy.ts"
import { latestAttempt } from "../tasks/latestAttempt.ts"
import { watch } from "../watch.ts"
import { ensureWorker } from "../worker/ensureWorker.ts"
import { carryMessages } from "./carryMessages.ts"

export interface Saying {
  /** Null: only an interrupt. */
  readonly text: string | null
  /** End the turn that runs first. */
  readonly interrupt: boolean
  /** The id of the text, or of an interrupt without a text. Null: a new one. */
  readonly id: string | null
  /** Refuse what would become the next turn. */
  readonly liveOnly: boolean
  readonly sender: string
}

export interface SentMessage {
  readonly message: Message
  readonly route: Route
}

const problemOf = (text: string): string | null => {
  if (text.trim() === "") return "it is empty"
  if (text.includes("\0")) return "it contains a NUL character"
  return new TextEncoder().encode(text).length > maxMessageBytes
    ? "it is larger than 1 MB; put it into a file and name the file in the message"
    : null
}

const refused = (taskId: TaskId, reason: string, hint: string) => new MessageRefused({ taskId, reason, hint })

/** Why this task cannot get this message; null if it can. */
const refusalOf = (
  task: TaskSummary,
  { format, status }: Recipient,
  route: Route,
  saying: Saying,
  resumes: boolean
) => {
  const { id } = task
  if (saying.interrupt && (route !== "live" || format !== "stream-json" || status !== "running")) {
    if (route === "ended") return refused(id, "has ended", `To continue its session: beat send ${id} "..."`)
    if (status === "queued") return refused(id, "has not started", `To change what it is asked: beat edit ${id}`)
    return refused(id, "cannot be interrupted: its agent takes no interrupts", `To end it: beat cancel ${id}`)
  }
  if (route === "live") return null
  if (!resumes) {
    const hint =
      format === null
        ? "Start it with --steer, and what you send is written to its stdin: beat run --steer"
        : `Start it again: beat retry ${id}`
    const why = route === "ended" ? "has ended" : "takes no messages"
    return refused(id, `${why}, and ${task.agent} cannot continue a session`, hint)
  }
  return saying.liveOnly
    ? refused(
        id,
        route === "ended" ? "has ended" : "takes no messages while it runs",
        "Leave out --no-next-turn, and the message becomes the next turn of its session"
      )
    : null
}

/**
 * Returns after the commit: from then on the message reaches the agent, or is on record as dropped. For a task that has ended
 * it also starts the next turn.
 */
export const sendMessage = Effect.fn("sendMessage")(function* (reference: TaskId, saying: Saying) {
  const agents = yield* Agents
  const ids = yield* Ids
  const messages = yield* Messages
  if (saying.id !== null && !Schema.is(MessageId)(saying.id)) {
    return yield* new InvalidInput({ field: "--id", problem: "is not a UUID in lower case", example: yield* ids.uuid })
  }
  const problem = saying.text === null ? null : problemOf(saying.text)
  if (problem !== null) return yield* new InvalidInput({ field: "message", problem, example: null })
  const task = yield* retryWhileBusy(latestAttempt(reference))
  const recipient = yield* retryWhileBusy(messages.recipient(task.id))
  const route = routeOf(recipient)
  const refusal = refusalOf(task, recipient, route, saying, yield* agents.hasSessions(task.agent))
  if (refusal !== null) return yield* refusal

  const own = saying.id ?? (yield* ids.uuid)
  const message = (id: string, kind: NewMessage["kind"], body: string): NewMessage => ({
    id: MessageId.make(id),
    taskId: task.id,
    kind,
    body,
    sender: saying.sender
  })
  const interrupt = message(saying.text === null ? own : yield* ids.uuid, "interrupt", "")
  const kind = recipient.format === "lines" && route === "live" ? "line" : "say"
  const text = saying.text === null ? null : message(own, kind, saying.text)
  const sent = yield* messages.send(text === null ? [interrupt] : saying.interrupt ? [interrupt, text] : [text])
  yield* failpoint("send.stored")
  const now = yield* retryWhileBusy(messages.recipient(task.id))
  // A worker does the same where this process is killed here.
  if (routeOf(now) === "ended") yield* retryWhileBusy(carryMessages(task.id))
  else yield* ensureWorker()
  const [last] = sent.slice(-1)
  if (last === undefined) return yield* Effect.dieMessage("nothing was sent")
  const stored = yield* retryWhileBusy(messages.find(last.id))
  return { message: Option.getOrElse(stored, () => last), route: routeOf(now) } satisfies SentMessage
})

/** Waits until the message was taken, moved or dropped, or its task was pruned. */
export const awaitReceipt = Effect.fn("awaitReceipt")(function* (id: MessageId) {
  const messages = yield* Messages
  return yield* watch(messages.find(id), Option.match({ onNone: () => true, onSome: isSettled }))
})
