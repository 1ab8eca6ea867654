/** What is said where the id of one kind of thing is given for another, over services in memory. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Loops } from "../../src/services/Loops.ts"
import { loopRules } from "../support/loopRules.ts"
import { createLoop } from "../support/loops.ts"
import { create } from "../support/pipelines.ts"
import { createSchedule } from "../support/schedules.ts"
import { newTask, submit } from "../support/tasks.ts"
import { beat, world } from "./world.ts"

const bounds = { maxTasks: 3, maxRunning: 2, maxDepth: 2, maxWakes: 1, deadline: null, budgetUsd: null }

const createGoal = Effect.flatMap(Loops, (loops) =>
  loops.create(
    {
      rules: loopRules({ maxRounds: 1 }),
      goal: bounds,
      stepTask: null,
      work: [{ name: null, task: newTask({ prompt: "lead", agent: "claude" }) }],
      evaluations: []
    },
    { maxDepth: 10 }
  )
)

const ids = Effect.gen(function* () {
  return {
    task: (yield* submit()).id,
    pipeline: (yield* create([{}])).id,
    schedule: (yield* createSchedule()).id,
    loop: (yield* createLoop()).id,
    goal: (yield* createGoal).id
  }
})

/** `ID` is what is named, an id or the beginning of one. */
const commands = {
  task: ["logs ID", "result ID", "why ID", "retry ID", "edit ID -p P1"],
  taskOrLoop: ["tree ID"],
  taskOrPipeline: ["wait ID", "cancel ID", "graph ID", "status ID"],
  pipeline: ["pipeline status ID", "pipeline cancel ID"],
  schedule: ["schedule status ID", "schedule cancel ID"],
  loop: ["loop status ID", "loop cancel ID"],
  goal: ["goal status ID", "goal cancel ID"]
}

type Kind = "task" | "pipeline" | "schedule" | "loop" | "goal"
const cases: ReadonlyArray<readonly [wanted: keyof typeof commands, given: ReadonlyArray<Kind>]> = [
  ["task", ["pipeline", "schedule", "loop", "goal"]],
  ["taskOrLoop", ["pipeline", "schedule"]],
  ["taskOrPipeline", ["schedule"]],
  ["pipeline", ["task", "schedule", "loop", "goal"]],
  ["schedule", ["task", "pipeline", "loop", "goal"]],
  ["loop", ["task", "pipeline", "schedule"]],
  ["goal", ["task", "pipeline", "schedule", "loop"]]
]

const shows = {
  task: "status",
  pipeline: "pipeline status",
  schedule: "schedule status",
  loop: "loop status",
  goal: "goal status"
}

describe("the id of another kind", () => {
  for (const [wanted, given] of cases) {
    it.effect(`is named as what it is by commands of: ${wanted}`, () =>
      Effect.gen(function* () {
        const known = yield* ids
        for (const kind of given) {
          for (const [index, line] of commands[wanted].entries()) {
            const reference = index === 0 ? known[kind].slice(0, 9) : known[kind]
            const { code, stderr } = yield* beat(line.replace("ID", reference).split(" "))
            const noun = wanted === "taskOrPipeline" || wanted === "taskOrLoop" ? "task" : wanted
            assert.strictEqual(code, 3, `${line}: ${stderr}`)
            assert.include(
              stderr,
              `${known[kind]} is a ${kind}, not a ${noun}: 'beat ${shows[kind]} ${known[kind]}' shows it`,
              line
            )
          }
        }
      }).pipe(Effect.provide(world()))
    )
  }

  it.effect("is named for --after", () =>
    Effect.gen(function* () {
      const { pipeline } = yield* ids
      const { code, stderr } = yield* beat(["run", "-a", "shell", "--after", pipeline, "true"])
      assert.strictEqual(code, 3)
      assert.include(stderr, `${pipeline} is a pipeline, not a task`)
    }).pipe(Effect.provide(world()))
  )

  it.effect("is nothing where nothing has it, and where it is too short to mean it", () =>
    Effect.gen(function* () {
      const { pipeline } = yield* ids
      assert.include((yield* beat(["logs", "nope"])).stderr, "No task 'nope'. 'beat list' shows the ids.")
      const letter = pipeline.slice(0, 3)
      assert.include((yield* beat(["schedule", "status", `${letter}`])).stderr, `No schedule '${letter}'.`)
    }).pipe(Effect.provide(world()))
  )
})

describe("beat goal", () => {
  it.effect("calls what it does not find a goal, and takes no loop for the newest one", () =>
    Effect.gen(function* () {
      assert.include((yield* beat(["goal", "status"])).stderr, 'There is no goal yet. Set one: beat goal "')
      yield* createLoop()
      for (const words of [["status"], ["status", "@last"], ["cancel", "@last"]]) {
        const { code, stderr } = yield* beat(["goal", ...words])
        assert.strictEqual(code, 3)
        assert.include(stderr, "There is no goal yet")
      }
      assert.include((yield* beat(["goal", "status", "x"])).stderr, "No goal 'x'. 'beat goal list' shows the ids.")
      const { id } = yield* createGoal
      yield* createLoop()
      assert.include((yield* beat(["goal", "status"])).stdout, id)
    }).pipe(Effect.provide(world()))
  )
})
