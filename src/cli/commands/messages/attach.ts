/** `beat attach`: the output of a running agent, and a line to say something on. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { isTerminal, type TaskId } from "../../../domain/task/Task.ts"
import { sendMessage } from "../../../programs/messages/sendMessage.ts"
import { latestAttempt } from "../../../programs/tasks/latestAttempt.ts"
import { requireOwn } from "../../../programs/tasks/requireOwn.ts"
import { nameOf, submitterOf } from "../../../programs/tasks/Submitter.ts"
import { whileWorkerRuns } from "../../../programs/worker/ensureWorker.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { Caller } from "../../framework/Caller.ts"
import { readWriteCommand } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { count, task } from "../../input/Values.ts"
import { endingText } from "../../output/Ending.ts"
import { printOutput } from "../../output/Follow.ts"
import { outcomeOf } from "../../output/MessageText.ts"
import { waiting } from "../../output/waiting.ts"

const say = Effect.fn("attach.say")(function* (id: TaskId, sender: string, text: string) {
  const terminal = yield* Terminal
  if (text.trim() === "") return
  const sent = yield* Effect.either(sendMessage(id, { text, interrupt: false, id: null, liveOnly: false, sender }))
  if (sent._tag === "Left") return yield* terminal.say(`beat: ${sent.left.message}`)
  // What the agent takes while it runs is seen in its output.
  if (sent.right.route !== "live") yield* terminal.say(outcomeOf(sent.right).text)
})

export const attach = readWriteCommand({
  name: "attach",
  section: "tasks",
  summary: "Follow a running agent, and send it the lines that you type",
  details:
    "Shows the output as 'beat logs -f' does, and sends each line that you type as 'beat send' does. Ctrl-D and Ctrl-C leave; the agent continues.",
  examples: [["beat attach @last", "the newest task"]],
  options: Options.all({
    lines: count("lines", 0, 1_000_000).pipe(
      Options.withAlias("n"),
      Options.withDefault(20),
      Options.withDescription("Begin with this many lines from the end (default: 20)")
    )
  }),
  args: Args.all({ task }),
  completes: "task",
  answer: () => "output",
  run: Effect.fn("beat.attach")(function* ({ lines }, given) {
    const terminal = yield* Terminal
    const tasks = yield* Tasks
    const submitter = submitterOf((yield* Caller).environment)
    const { agent, id } = yield* latestAttempt(yield* tasks.resolve(given.task))
    yield* requireOwn(submitter, [id], "send messages to")
    const sender = yield* nameOf(submitter)
    const output = printOutput({
      taskId: id,
      agent,
      form: "text",
      streams: "both",
      lines,
      since: null,
      follow: true
    }).pipe(Effect.as("ended" as const))
    const typed = Stream.runForEach(terminal.lines, (text) => say(id, sender, text)).pipe(Effect.as("left" as const))
    yield* terminal.say(`Attached to ${id} (${agent}). Type a line to send it; Ctrl-D leaves.`)
    const how = yield* whileWorkerRuns(Effect.raceFirst(output, typed), yield* waiting(false))
    const now = yield* tasks.summary(id)
    yield* terminal.say(
      isTerminal(now.status)
        ? `${id} ${endingText(now, terminal.stderr)}`
        : how === "left"
          ? `${id} continues. To see it again: beat attach ${id}`
          : id
    )
    return ExitCode.ok
  })
})
