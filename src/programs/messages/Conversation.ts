/** Hands messages to an agent while it runs, reads its receipts, and ends its input when it has nothing more to do. */
import * as Effect from "effect/Effect"
import { elapsedMs } from "../../domain/Elapsed.ts"
import { interruptText, replyText, sayText } from "../../domain/message/AgentInput.ts"
import type { InputFormat, MessageId } from "../../domain/message/Message.ts"
import type { StreamName } from "../../domain/output/Output.ts"
import { type Asks, ruled } from "../../domain/questions/AgentRequest.ts"
import { inputFormatOf } from "../../domain/task/NewTask.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import { Agents } from "../../services/Agents.ts"
import { failpoint } from "../../services/Failpoints.ts"
import { Messages } from "../../services/Messages.ts"
import { type AskedOver, OutputStore } from "../../services/OutputStore.ts"
import { Questions } from "../../services/Questions.ts"
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
  /** What its agent asks over its stdin; null: nothing. */
  readonly asks: Asks | null
  /** Since when no turn runs; null: one does. */
  idleSince: number | null
  /** When the last message was handed over. */
  toldAt: number
  /** Its input was ended. */
  over: boolean
}

/** What bytes say, for the transaction that stores them. */
export interface HeardIn {
  readonly taken: ReadonlyArray<MessageId>
  readonly asked: ReadonlyArray<AskedOver>
  readonly replied: ReadonlyArray<string>
}

export const nothingHeard: HeardIn = { taken: [], asked: [], replied: [] }

const listen = Effect.fn("conversation.listen")(function* (
  conversation: Conversation,
  agent: string,
  bytes: Uint8Array
) {
  const lines = wholeLines(conversation.rest, bytes, longestLine)
  if (lines.length === 0) return nothingHeard
  const agents = yield* Agents
  const taken: Array<MessageId> = []
  const asked: Array<AskedOver> = []
  const replied: Array<string> = []
  for (const heard of yield* agents.heard(agent, lines)) {
    if (heard._tag === "Taken") taken.push(heard.id)
    else if (heard._tag === "Replied") replied.push(heard.requestId)
    else if (heard._tag === "Asks") {
      const { asks } = conversation
      if (asks !== null) asked.push({ request: heard.request, ruled: ruled(asks, heard.request) })
    } else conversation.idleSince = heard._tag === "Began" ? null : yield* elapsedMs
  }
  return { taken, asked, replied } satisfies HeardIn
})

/** A task whose launch cannot be read is still followed to its end, but its agent gets no messages. */
const recipientOf = Effect.fn("conversation.recipient")(function* (id: TaskId) {
  const messages = yield* Messages
  const silent = { format: null, closed: false, asks: null }
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
  const { asks, closed, format } =
    fresh === null
      ? yield* recipientOf(id)
      : { format: inputFormatOf(fresh.launch), closed: false, asks: fresh.launch.asks ?? null }
  if (format === null) return null
  const conversation: Conversation = {
    format,
    asks,
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

/** What newly captured bytes say of messages and requests. */
export const hear = (conversation: Conversation | null, { task }: Held, stream: StreamName, bytes: Uint8Array) =>
  conversation === null || stream === "stderr" ? Effect.succeed(nothingHeard) : listen(conversation, task.agent, bytes)

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

/** Hands over answers to what the agent has asked. What it was told it confirms; the questions count as taken then. */
const reply = Effect.fn("conversation.reply")(function* ({ asks }: Conversation, holder: Holder) {
  if (asks === null) return true
  const questions = yield* Questions
  const spawner = yield* Spawner
  for (const answered of yield* retryWhileStorageFails(questions.toReply(holder.claimId))) {
    // The number is ours: what the agent calls its request may be anything.
    if (!(yield* spawner.tell(holder.claimId, `reply-${answered.seq}`, replyText(answered)))) return false
    yield* failpoint("reply.written")
    yield* retryWhileStorageFails(questions.replied(answered.seq))
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
    const reachable = (yield* reply(conversation, holder)) && (yield* tell(conversation, holder, taskId))
    const { idleSince, toldAt } = conversation
    if (reachable && (idleSince === null || !caughtUp)) return
    const now = yield* elapsedMs
    const whatever = !reachable || now - Math.max(idleSince ?? now, toldAt) > patience
    if (!(yield* retryWhileStorageFails(messages.close(holder, { whatever })))) return
    yield* endInput(conversation, holder.claimId)
  },
  Effect.catchTag("SpawnFailed", (error) => Effect.logWarning(error.message))
)
