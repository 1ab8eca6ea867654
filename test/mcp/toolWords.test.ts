/** No message that a tool passes on names a command or an option that its model cannot type. */
import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "vitest"
import { AgentUnknown, InvalidInput, NoDefaultAgent, TaskNotFound, TaskStateConflict } from "../../src/domain/Errors.ts"
import { otherKindText } from "../../src/domain/OtherKind.ts"
import { TaskId } from "../../src/domain/task/Task.ts"
import { NotIsolable } from "../../src/domain/workspace/WorkspaceErrors.ts"
import { failureText } from "../../src/mcp/protocol/Failures.ts"
import { coreTools, insideTools, tools } from "../../src/mcp/Tools.ts"
import { toolWords } from "../../src/mcp/toolWords.ts"

const source = resolve(import.meta.dirname, "../../src")

/** Where messages come from that tools pass on: all but the surfaces themselves (cli, mcp, web). */
const rooms = ["domain", "layers", "programs", "text"]

/** What no tool reaches. A room that is not named here is looked at, also a new one. */
const elsewhere = [
  // Of `beat web`, `hooks`, `send`, `group`, `budget` and `usage`, which have no tools.
  "domain/web",
  "domain/hooks",
  "domain/message",
  "domain/gates/GateErrors.ts",
  "domain/budgets/BudgetErrors.ts",
  "layers/node/web",
  "programs/hooks",
  "programs/messages",
  "programs/budgets/setBudget.ts",
  "programs/usage/usageReport.ts",
  // `beat doctor`, `service`, `skills`, `mcp`.
  "programs/setup",
  // Pauses of a person, and the commands that `beat why` adds.
  "programs/gates/pauseTask.ts",
  "programs/gates/gateWords.ts",
  "programs/budgets/holdWords.ts",
  // Arguments of git and of mount, not messages.
  "layers/node/spool/Mount.ts",
  // Logs.
  "programs/serving/WorkerPool.ts"
]

const filesIn = (path: string): ReadonlyArray<string> =>
  elsewhere.some((one) => path === join(source, one))
    ? []
    : path.endsWith(".ts")
      ? [path]
      : readdirSync(path).flatMap((name) => filesIn(join(path, name)))

/** A person's business, which a model passes on. */
const forPeople = /\bbeat (config|doctor|init|worker|workspace list|inbox|prune|limits|mcp install)\b/g

/** Messages that no tool can cause: a pull request, a reclaim, and arguments that tools do not have. */
const unreachable = [
  /gh, which is not installed/,
  /beat workspace keep/,
  /--context "Now/,
  /capture: allowlist/,
  // Variables of a pipeline file, and permissions that a person is asked for.
  /--var\b/,
  /field: "--approve"/,
  // `when` is required, and `prompt` is never empty there.
  /say when it runs: --cron/,
  /"--cron '0 9/,
  /invalid\("prompt", "is empty"/,
  // Sentences of commands that no tool is like.
  /'beat mcp config'/,
  /add the entry by hand/,
  /wrote no plan/,
  /is left out: its times cannot be read/,
  // A template whose kinds are tested one by one below.
  /'beat \$\{kind\} status/
]

/** Text for the agent's side of a shell, which has both ways. */
const isSkill = /\\`beat |\\`DelegateTask|\\`WaitTasks/

describe("messages in the words of the tools", () => {
  it("name no command and no option, whichever file they are from", () => {
    const found = rooms
      .flatMap((room) => filesIn(join(source, room)))
      .flatMap((file) => readFileSync(file, "utf8").split("\n"))
      .filter((line) => !/^\s*(\*|\/\*|\/\/)/.test(line) && /[`"'].*(\bbeat [a-z]| --[a-z]|[a-z:] -[aCm]\b)/.test(line))
      .filter((line) => !isSkill.test(line) && !unreachable.some((one) => one.test(line)))
    assert.isAtLeast(found.length, 30, "the messages were found")
    for (const line of found) {
      const told = toolWords(line.trim())
        .replace(forPeople, "")
        .replace(/\b(npm [a-z]+|git [a-z]+|ulimit) -[a-z]+/g, "")
      assert.notMatch(told, /\bbeat [a-z]/)
      assert.notMatch(told, /(^|[\s"'`(])--[a-z]/)
      assert.notMatch(told, /[a-z:] -[aCm]\b/)
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

  it("name only tools that are listed", () => {
    const unlisted = tools.filter((tool) => !coreTools.includes(tool) && !insideTools.includes(tool))
    for (const file of ["toolWords.ts", "protocol/Failures.ts", "Instructions.ts"]) {
      const text = readFileSync(join(source, "mcp", file), "utf8")
      for (const { name } of unlisted) assert.notMatch(text, new RegExp(`\\b${name}\\b`), `${file}: ${name}`)
    }
  })

  it("say what to do with the id of a pipeline that was given as a task's", () => {
    const other = { kind: "pipeline", id: "7w2d9m4xkq5t" } as const
    assert.strictEqual(
      failureText(new TaskNotFound({ reference: other.id, other })),
      "TaskNotFound: 7w2d9m4xkq5t is a pipeline, not a task: TaskStatus shows it.\n" +
        "Next: Call TaskStatus with this id: it shows the tasks of the pipeline. Call again with theirs."
    )
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
      ["pipeline", "TaskStatus shows it."],
      ["schedule", "Schedules with action 'status' shows it."],
      ["loop", "TaskStatus shows it."],
      ["goal", "TaskStatus shows it."],
      ["contest", "TaskStatus shows it."]
    ] as const) {
      assert.strictEqual(toolWords(otherKindText({ id, kind }, "task")), `${id} is a ${kind}, not a task: ${shows}`)
    }
    for (const [said, told] of [
      ["The shell agent has no model: -m is ignored.", "The shell agent has no model: 'model' is ignored."],
      [
        "Name another model with -m, or: beat config set agents.pi.model MODEL",
        "Name another 'model', or: beat config set agents.pi.model MODEL"
      ],
      [
        "Try again later: beat retry. Or use another agent with -a",
        "Try again later: RetryTask. Or name another 'agent'"
      ],
      ["To retry automatically: beat run --retries 3", "To retry automatically: DelegateTask with 'retries': 3"]
    ] as const)
      assert.strictEqual(toolWords(said), told)
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
