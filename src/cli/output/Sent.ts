/** Sends a message, waits for its receipt and says what happened to it: what `beat send` and `beat interrupt` share. */
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Message } from "../../domain/message/Message.ts"
import { awaitReceipt, type Saying, type SentMessage, sendMessage } from "../../programs/messages/sendMessage.ts"
import { requireOwn } from "../../programs/tasks/requireOwn.ts"
import { nameOf, submitterOf } from "../../programs/tasks/Submitter.ts"
import { Tasks } from "../../services/Tasks.ts"
import { Caller } from "../framework/Caller.ts"
import { ExitCode } from "../framework/ExitCode.ts"
import { printJson } from "../framework/Json.ts"
import { Terminal } from "../framework/Terminal.ts"
import { duration, json } from "../input/Values.ts"
import { outcomeOf } from "./MessageText.ts"

/** How long the command waits for a receipt, in milliseconds. */
const defaultPatience = 5000

export const receiptOptions = {
  noWait: Options.boolean("no-wait").pipe(Options.withDescription("Return when the message is stored")),
  timeout: duration("timeout").pipe(
    Options.withAlias("t"),
    Options.withDefault(defaultPatience),
    Options.withDescription("Wait this long for the agent's receipt (default: 5s)")
  ),
  json
}

interface Receipt {
  readonly noWait: boolean
  readonly timeout: number
  readonly json: boolean
}

const settled = Effect.fn("settled")(function* (sent: SentMessage, { noWait, timeout }: Receipt) {
  if (noWait || sent.route !== "live") return sent
  const receipt = yield* Effect.timeoutOption(awaitReceipt(sent.message.id), timeout)
  return { ...sent, message: Option.getOrElse(Option.flatten(receipt), () => sent.message) }
})

export const sendAndTell = Effect.fn("sendAndTell")(function* (
  reference: string,
  saying: Omit<Saying, "sender">,
  receipt: Receipt
) {
  const terminal = yield* Terminal
  const tasks = yield* Tasks
  const submitter = submitterOf((yield* Caller).environment)
  const id = yield* tasks.resolve(reference)
  yield* requireOwn(submitter, [id], "send messages to")
  const sent = yield* sendMessage(id, { ...saying, sender: yield* nameOf(submitter) })
  const { message, route } = yield* settled(sent, receipt)
  const { code, text } = outcomeOf({ message, route })
  if (receipt.json) yield* printJson(Message, message)
  else yield* terminal.print(text)
  return receipt.noWait && code === ExitCode.waitTimedOut ? ExitCode.ok : code
})
