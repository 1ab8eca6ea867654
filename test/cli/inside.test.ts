/** What every command does inside a task that has not submitted what the command is about, over services in memory. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { tree } from "../../src/cli/Commands.ts"
import { loadAll } from "../../src/cli/framework/CommandTree.ts"
import type { TaskId } from "../../src/domain/task/Task.ts"
import type { WorkspaceRequest } from "../../src/domain/workspace/Workspace.ts"
import { WorkspaceId } from "../../src/domain/workspace/WorkspaceId.ts"
import { Ids } from "../../src/services/Ids.ts"
import { Loops } from "../../src/services/Loops.ts"
import { Merges } from "../../src/services/Merges.ts"
import { Pipelines } from "../../src/services/Pipelines.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { Workspaces } from "../../src/services/Workspaces.ts"
import { loopRules } from "../support/loopRules.ts"
import { createLoop } from "../support/loops.ts"
import { create } from "../support/pipelines.ts"
import { newTask, submit } from "../support/tasks.ts"
import { beat, world } from "./world.ts"

/** Of commands that change something only where it is the agent's own; `TASK` and the others are ids. */
const own: Readonly<Record<string, ReadonlyArray<string>>> = {
  cancel: ["cancel TASK", "cancel --tree TASK"],
  edit: ["edit TASK -p P2"],
  retry: ["retry TASK"],
  resume: ["resume TASK", "resume --all"],
  send: ["send TASK hello"],
  interrupt: ["interrupt TASK"],
  attach: ["attach TASK"],
  merge: ["merge --undo TASK"],
  "pipeline cancel": ["pipeline cancel PIPELINE"],
  "pipeline retry": ["pipeline retry PIPELINE"],
  "loop pause": ["loop pause LOOP", "loop pause GOAL"],
  "loop resume": ["loop resume LOOP"],
  "loop cancel": ["loop cancel LOOP", "loop cancel GOAL"],
  "workspace keep": ["workspace keep TASK", "workspace keep --off WORKSPACE"],
  "workspace reclaim": ["workspace reclaim TASK", "workspace reclaim WORKSPACE"],
  "workspace restore": ["workspace restore WORKSPACE"],
  run: ["run --in TASK -a shell true"],
  doctor: ["doctor --fix"]
}

/** Of some commands for persons: what they need to be parsed. */
const forPersons = [
  "init",
  "init --agent claude",
  "mcp install claude",
  "mcp uninstall claude",
  "skills install claude",
  "skills uninstall claude",
  "service install",
  "service uninstall",
  "goal start x --until true",
  "goal cancel GOAL",
  "pause --all",
  "pause TASK",
  "answer q1 yes",
  "prune --older-than 1d",
  "config set maxDepth 9",
  "schedule pause x",
  "hooks test x",
  "budget remove x",
  "group remove x",
  "limits open claude"
]

/** Commands that only store new work of the caller, or a question of its task, or serve the queue. */
const adding = ["pipeline run", "loop start", "plan", "ask", "worker"]

/** Commands that change nothing of another submitter: they look, or store what a service says of an account. */
const looking = [
  "wait",
  "limits refresh",
  "pipeline check",
  "pipeline schema",
  "loop check",
  "loop schema",
  "top",
  "timeline",
  "support",
  "metrics",
  "api openapi",
  "agents list",
  "agents check",
  "config show",
  "config get",
  "config path",
  "skills show",
  "mcp start",
  "mcp config",
  "mcp test",
  "service status",
  "completion",
  "__complete"
]

const workspaceId = (letter: string) => WorkspaceId.make(letter.repeat(12))

const fresh = (letter: string): WorkspaceRequest => ({
  kind: "new",
  id: workspaceId(letter),
  home: "/home/ann/shop",
  subdirectory: "",
  base: "a".repeat(40),
  baseKind: "head",
  path: `/state/workspaces/${letter}/shop`
})

const bounds = { maxTasks: 3, maxRunning: 2, maxDepth: 2, maxWakes: 1, deadline: null, budgetUsd: null }

/** Work of one submitter: of a person, or of the agent of a task. */
const workOf = (parentId: TaskId | null, letter: string) =>
  Effect.gen(function* () {
    const loops = yield* Loops
    const merges = yield* Merges
    const by = { parentId, depth: parentId === null ? 0 : 1 }
    const task = yield* submit({ ...by, workspace: fresh(letter) })
    const pipeline = yield* create([{ task: by }, { task: by }])
    const loop = yield* createLoop(loopRules(), [{ name: null, task: newTask({ ...by, agent: "claude" }) }])
    const goal = yield* loops.create(
      {
        rules: loopRules({ maxRounds: 1 }),
        goal: bounds,
        stepTask: null,
        work: [{ name: null, task: newTask({ agent: "claude" }) }],
        evaluations: []
      },
      { maxDepth: 10 }
    )
    yield* merges.begin({
      taskId: task.id,
      home: "/home/ann/shop",
      branch: "main",
      tree: "/home/ann/shop",
      before: "a".repeat(40),
      merged: "b".repeat(40),
      state: "merged",
      id: yield* (yield* Ids).merge,
      checkTask: null,
      conflicts: [],
      reason: null,
      url: null,
      owner: { pid: 100, startTime: "1", bootId: "boot-1" },
      createdAt: 0,
      changedAt: 0
    })
    return { TASK: task.id, PIPELINE: pipeline.id, LOOP: loop.id, GOAL: goal.id, WORKSPACE: workspaceId(letter) }
  })

const wordsOf = (line: string, ids: Readonly<Record<string, string>>) =>
  line.split(" ").map((word) => ids[word] ?? word)

const inside = (id: TaskId) => ({ environment: { BACKBEAT_TASK_ID: id, BACKBEAT_DEPTH: "0" } })

describe("inside a task", () => {
  it.effect("every command that changes something has its rule", () =>
    Effect.gen(function* () {
      const { commands } = yield* loadAll(tree)
      const ruled = new Set([...Object.keys(own), ...adding, ...looking])
      const without = commands.filter(
        ({ forPersons, looks, name }) => looks !== true && forPersons === undefined && !ruled.has(name)
      )
      assert.deepStrictEqual(
        without.map(({ name }) => name),
        []
      )
      const known = new Set(commands.map(({ name }) => name))
      assert.deepStrictEqual(
        Array.from(ruled).filter((name) => !known.has(name)),
        []
      )
    })
  )

  for (const [name, lines] of [...Object.entries(own), ["for persons", forPersons] as const]) {
    it.effect(`'${name}' leaves alone what others submitted`, () =>
      Effect.gen(function* () {
        const lead = yield* submit()
        const others = yield* workOf(null, "w")
        for (const line of lines) {
          const { code, stderr, stdout } = yield* beat(wordsOf(line, others), inside(lead.id))
          assert.strictEqual(code, 1, `${line}: ${stdout}${stderr}`)
          assert.include(stderr, `This runs inside task ${lead.id}, which may not `, line)
        }
        const tasks = yield* Tasks
        assert.strictEqual((yield* tasks.summary(others.TASK)).status, "queued")
        assert.strictEqual((yield* (yield* Pipelines).get(others.PIPELINE)).cancelRequestedAt, null)
        const loop = yield* (yield* Loops).get(others.LOOP)
        assert.deepStrictEqual([loop.status, loop.pauseRequestedAt], ["running", null])
        assert.deepInclude(yield* (yield* Workspaces).get(others.WORKSPACE), { kept: false, state: "planned" })
      }).pipe(Effect.provide(world()))
    )
  }

  it.effect("a lead changes what it has submitted", () =>
    Effect.gen(function* () {
      const lead = yield* submit()
      const mine = yield* workOf(lead.id, "w")
      for (const line of [
        "edit TASK -p P2",
        "workspace keep WORKSPACE",
        "workspace keep --off TASK",
        "run --in TASK -a shell true",
        "loop pause LOOP",
        "loop resume LOOP",
        "loop cancel LOOP",
        "pipeline cancel PIPELINE",
        "pipeline retry PIPELINE",
        "cancel TASK",
        "retry TASK"
      ]) {
        const { code, stderr } = yield* beat(wordsOf(line, mine), inside(lead.id))
        assert.strictEqual(code, 0, `${line}: ${stderr}`)
      }
    }).pipe(Effect.provide(world()))
  )

  it.effect("a task may put work into its own workspace", () =>
    Effect.gen(function* () {
      const lead = yield* submit({ workspace: fresh("w") })
      const { code, stderr } = yield* beat(["run", "--in", lead.id, "-a", "shell", "true"], inside(lead.id))
      assert.strictEqual(code, 0, stderr)
    }).pipe(Effect.provide(world()))
  )

  it.effect("work that a person has put into the workspace makes it the person's too", () =>
    Effect.gen(function* () {
      const lead = yield* submit()
      const mine = yield* workOf(lead.id, "w")
      yield* submit({ workspace: { kind: "existing", id: mine.WORKSPACE, startCommit: null } })
      const { stderr } = yield* beat(["workspace", "reclaim", mine.WORKSPACE], inside(lead.id))
      assert.include(stderr, `may not reclaim workspace ${mine.WORKSPACE}`)
    }).pipe(Effect.provide(world()))
  )
})
