/** No message that a tool passes on names a command or an option that its model cannot type. */
import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "vitest"
import { AgentUnknown, InvalidInput, NoDefaultAgent, TaskNotFound, TaskStateConflict } from "../../src/domain/Errors.ts"
import { otherKindText } from "../../src/domain/OtherKind.ts"
import { TaskId } from "../../src/domain/task/Task.ts"
import { NotIsolable } from "../../src/domain/workspace/WorkspaceErrors.ts"
import { failureText } from "../../src/mcp/protocol/Failures.ts"
import { toolWords } from "../../src/mcp/toolWords.ts"

const source = resolve(import.meta.dirname, "../../src")

/** Where the messages come from that tools pass on. */
const rooms = [
  "domain/Errors.ts",
  "domain/contest/ContestErrors.ts",
  "domain/loop/LoopErrors.ts",
  "domain/pipeline/PipelineErrors.ts",
  "domain/schedule/ScheduleErrors.ts",
  "domain/workspace/WorkspaceErrors.ts",
  "programs/Alongside.ts",
  "programs/merges",
  "programs/tasks",
  "programs/worker/answerAllows.ts",
  "programs/worker/judgeExit.ts",
  "programs/workspaces"
]

const filesIn = (path: string): ReadonlyArray<string> =>
  path.endsWith(".ts") ? [path] : readdirSync(path).flatMap((name) => filesIn(join(path, name)))

/** A person's business, which a model passes on. */
const forPeople = /\bbeat (config|doctor|init|worker|workspace list|inbox|prune|limits)\b/g

/** Messages that no tool can cause: a pull request, a reclaim, and arguments that tools do not have. */
const unreachable = [/gh, which is not installed/, /beat workspace keep/, /--context "Now/, /capture: allowlist/]

describe("messages in the words of the tools", () => {
  it("name no command and no option, whichever file they are from", () => {
    const found = rooms
      .flatMap((room) => filesIn(join(source, room)))
      .flatMap((file) => readFileSync(file, "utf8").split("\n"))
      .filter((line) => !/^\s*(\*|\/\*|\/\/)/.test(line) && /[`"'].*(\bbeat [a-z]| --[a-z])/.test(line))
      .filter((line) => !unreachable.some((one) => one.test(line)))
    assert.isAtLeast(found.length, 30, "the messages were found")
    for (const line of found) {
      const told = toolWords(line.trim()).replace(forPeople, "")
      assert.notMatch(told, /\bbeat [a-z]/)
      assert.notMatch(told, /(^|[\s"'`(])--[a-z]/)
    }
  })

  it("have no example of an option or a command", () => {
    for (const example of ["-C ~/project", "--env NAME=VALUE", 'beat run "fix the failing test"']) {
      const failure = new InvalidInput({ field: "directory", problem: "there is no directory /x", example })
      assert.strictEqual(toolWords(failure.message), "directory: there is no directory /x")
    }
    const other = new InvalidInput({ field: "timezone", problem: "is unknown", example: "Europe/Berlin or UTC" })
    assert.strictEqual(toolWords(other.message), other.message)
  })

  it("give the way to a custom agent only to a name that one can have", () => {
    const told = (agent: string) => new AgentUnknown({ agent, known: ["claude"] }).message
    assert.include(told("my-agent"), "beat config set agents.my-agent.command")
    for (const agent of [".", "../x", "SHELL", "", "a b", "x".repeat(33), "a\nb"])
      assert.strictEqual(told(agent), `There is no agent '${agent}'. Known: claude.`)
  })

  it("name options of isolation as arguments, and only those that were given", () => {
    const refused = { directory: "/x", problem: "no-repository", detail: "" } as const
    assert.notMatch(failureText(new NotIsolable(refused)).split("\n")[0] ?? "", /isolate\b/)
    for (const [otherwise, told] of [
      ["leave out --isolate", "first, or leave out 'isolate'\nNext: "],
      ["use --no-isolate", "first, or use 'isolate': false\nNext: "]
    ] as const)
      assert.include(failureText(new NotIsolable({ ...refused, otherwise })), told)
  })

  it("read as sentences", () => {
    const id = TaskId.make("k3v9x2m7q4ab")
    assert.strictEqual(
      failureText(new TaskNotFound({ reference: "zz" })),
      "TaskNotFound: No task 'zz'. TaskStatus shows the ids.\nNext: TaskStatus without an id shows the newest tasks."
    )
    assert.include(
      failureText(new TaskStateConflict({ id, step: "be retried", actual: "running" })),
      `Wait for its end: WaitTasks ${id}`
    )
    for (const [kind, shows] of [
      ["task", "TaskStatus shows it."],
      ["pipeline", "PipelineStatus shows it."],
      ["schedule", "Schedules with action 'status' shows it."],
      ["loop", "TaskStatus shows it."],
      ["goal", "TaskStatus shows it."],
      ["contest", "TaskStatus shows it."]
    ] as const) {
      assert.strictEqual(toolWords(otherKindText({ id, kind }, "task")), `${id} is a ${kind}, not a task: ${shows}`)
    }
    assert.include(failureText(new NoDefaultAgent({ installed: [] })), "DelegateTask with the agent 'shell'")
    assert.strictEqual(
      toolWords("Ended at its timeout of 5 min. To allow more time: beat run --timeout"),
      "Ended at its timeout of 5 min. To allow more time: DelegateTask with 'timeoutMs'"
    )
    assert.strictEqual(
      toolWords(`If its session is gone, start a new one: beat resume ${id} --fresh`),
      `If its session is gone, start a new one: DelegateTask with 'continueFrom' ${id}`
    )
  })
})
