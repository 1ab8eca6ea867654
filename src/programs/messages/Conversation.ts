/** Hands messages to an agent while it runs, reads its receipts, and ends its input when it has nothing more to do. */
import * as Effect from "effect/Effect"
import { elapsedMs } from "../../domain/Elapsed.ts"
import { interruptText, sayText } from "../../domain/message/AgentInput.ts"
import type { InputFormat, MessageId } from "../../domain/message/Message.ts"
import type { StreamName } from "../../domain/output/Output.ts"
import { inputFormatOf } from "../../domain/task/NewTask.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import { Agents } from "../../services/Agents.ts"
import { Messages } from "../../services/Messages.ts"
import { OutputStore } from "../../services/OutputStore.ts"
import type { ClaimedTask, Held } from "../../services/Queue.ts"
import { Spawner } from "../../services/Spawner.ts"
import type { Holder } from "../../services/WorkerRegistry.ts"
import { type LineRest, wholeLines } from "../limits/LimitWatch.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"

/** The longest line that is read, in bytes: the result of a turn holds its whole answer. */
const longestLine = 8 * 1024 * 1024

/** Chunks that a new owner reads again, to know whether a turn runs. After the end of a turn little is printed. */
const readAgain = 8

/** How long an agent without a turn may leave a message unconfirmed, in milliseconds: it takes one in far less. */
const patience = 30_000

export interface Conversation {
  readonly format: InputFormat
  readonly rest: LineRest
  /** Since when no turn runs; null: one does. */
  idleSince: number | null
  /** When the last message was handed over. */
  toldAt: number
  /** Its input was ended. */
  over: boolean
}

const listen = Effect.fn("conversation.listen")(function* (
  conversation: Conversation,
  agent: string,
  bytes: Uint8Array
) {
  const lines = wholeLines(conversation.rest, bytes, longestLine)
  if (lines.length === 0) return []
  const agents = yield* Agents
  const taken: Array<MessageId> = []
  for (const heard of yield* agents.heard(agent, lines)) {
    if (heard._tag === "Taken") taken.push(heard.id)
    else conversation.idleSince = heard._tag === "Began" ? null : yield* elapsedMs
  }
  return taken
})

/** A task whose launch cannot be read is still followed to its end, but its agent gets no messages. */
const recipientOf = Effect.fn("conversation.recipient")(function* (id: TaskId) {
  const messages = yield* Messages
  const silent = { format: null, closed: false }
  return yield* retryWhileStorageFails(messages.recipient(id)).pipe(
    Effect.catchIf(
      (error) => error._tag === "TaskNotFound" || error.reason === "unfit",
      () => Effect.succeed(silent)
    )
  )
})

/** Null if the agent takes no messages while it runs. A new owner reads the state of the conversation again. */
export const conversationOf = Effect.fn("conversationOf")(function* (claimed: Held, fresh: ClaimedTask | null) {
  const { id, agent } = claimed.task
  const { closed, format } =
    fresh === null ? yield* recipientOf(id) : { format: inputFormatOf(fresh.launch), closed: false }
  if (format === null) return null
  const conversation: Conversation = {
    format,
    rest: { bytes: new Uint8Array(), skipping: false },
    idleSince: null,
    toldAt: 0,
    over: false
  }
  if (fresh !== null) return conversation
  const store = yield* OutputStore
  const streams = yield* retryWhileStorageFails(store.streams(id))
  const since = streams.find(({ stream }) => stream === "stdout")?.since ?? 0
  const chunks = yield* retryWhileStorageFails(
    store.readBack({ taskId: id, stream: "stdout", before: null, limit: readAgain })
  )
  for (const { bytes, offset } of [...chunks].reverse()) {
    yield* listen(conversation, agent, bytes.subarray(Math.max(0, since - offset)))
  }
  if (closed) yield* endInput(conversation, claimed.claim.claimId)
  return conversation
})

const endInput = Effect.fn("conversation.endInput")(function* (conversation: Conversation, claimId: Holder["claimId"]) {
  const spawner = yield* Spawner
  yield* spawner.endInput(claimId)
  conversation.over = true
})

/** The messages that newly captured bytes prove to be taken. */
export const hear = (conversation: Conversation | null, { task }: Held, stream: StreamName, bytes: Uint8Array) =>
  conversation === null || stream === "stderr" ? Effect.succeed([]) : listen(conversation, task.agent, bytes)

const tell = Effect.fn("conversation.tell")(function* (conversation: Conversation, holder: Holder, taskId: TaskId) {
  const messages = yield* Messages
  const spawner = yield* Spawner
  for (const { body, id, kind, state } of yield* retryWhileStorageFails(messages.pending(taskId))) {
    if (state !== "stored") continue
    const text = kind === "interrupt" ? interruptText(id) : sayText(conversation.format, id, body)
    if (!(yield* spawner.tell(holder.claimId, id, text))) return false
    yield* retryWhileStorageFails(messages.written(holder, id))
    conversation.toldAt = yield* elapsedMs
  }
  return true
})

/**
 * One step: hands over what is stored, and ends the input of an agent whose turn is over and for whom nothing waits.
 * `caughtUp`: all that it printed was heard. What fails is tried again at the next step.
 */
export const converse = Effect.fn("converse")(
  function* (conversation: Conversation | null, holder: Holder, taskId: TaskId, caughtUp: boolean) {
    if (conversation === null || conversation.over) return
    const messages = yield* Messages
    const reachable = yield* tell(conversation, holder, taskId)
    const { idleSince, toldAt } = conversation
    if (reachable && (idleSince === null || !caughtUp)) return
    const now = yield* elapsedMs
    const whatever = !reachable || now - Math.max(idleSince ?? now, toldAt) > patience
    if (!(yield* retryWhileStorageFails(messages.close(holder, { whatever })))) return
    yield* endInput(conversation, holder.claimId)
  },
  Effect.catchTag("SpawnFailed", (error) => Effect.logWarning(error.message))
)
