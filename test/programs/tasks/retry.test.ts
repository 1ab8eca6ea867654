/** Trying again: the captured environment, a fresh session, and only what has ended. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Agents from "../../../src/layers/agents/AgentsJudging.ts"
import * as Fingerprints from "../../../src/layers/memory/fakes/Fingerprints.ts"
import { retry } from "../../../src/programs/tasks/retry.ts"
import { submit } from "../../../src/programs/tasks/submit.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { SettingsStore } from "../../../src/services/SettingsStore.ts"
import { failed } from "../../support/tasks.ts"
import { layer, person, submission } from "../world.ts"

const ended = (overrides: Parameters<typeof submission>[0]) =>
  Effect.gen(function* () {
    const queue = yield* Queue
    const { tasks } = yield* submit([submission(overrides)], { ...person, environment: { PATH: "/then" } })
    const task = tasks[0]?.task ?? (yield* Effect.dieMessage("no task"))
    yield* queue.finish(task.id, failed, null)
    return task
  })

/** Any program that exists stands for the agent: nothing is started. */
const program = process.execPath

/** The real agents over the settings in memory. */
const withAgents = Agents.layer.pipe(Layer.provide(Fingerprints.layer), Layer.provideMerge(layer()))

describe("retry", () => {
  it.effect("makes another attempt in the captured environment, with its own session", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const first = yield* ended({
        agent: "claude",
        prompt: "again",
        priority: "P0",
        labels: { team: "web" },
        extra: { TOKEN: "t" },
        timeoutMs: 1234,
        stallMs: null,
        idempotencyKey: "once",
        notBefore: 99
      })
      const { tasks } = yield* retry(first.id, { ...person, environment: { PATH: "/now" } })
      const second = tasks[0]?.task ?? (yield* Effect.dieMessage("no task"))
      assert.notStrictEqual(second.id, first.id)
      assert.deepStrictEqual(
        [second.retryOf, second.attempt, second.prompt, second.priority, second.timeoutMs, second.stallMs],
        [first.id, 2, "again", "P0", 1234, null]
      )
      assert.deepStrictEqual([second.idempotencyKey, second.notBefore, second.labels], [null, null, { team: "web" }])
      const captured = yield* queue.captured(second.id)
      assert.deepStrictEqual(captured.environment, { PATH: "/then", TOKEN: "t" })
      assert.strictEqual(first.sessionId, "session-1")
      assert.strictEqual(second.sessionId, "session-2")
      assert.deepStrictEqual(captured.launch.args, ["--session-id", "session-2"])
    }).pipe(Effect.provide(layer()))
  )

  it.effect("takes what came from the config again: a key may have been wrong", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const settings = yield* SettingsStore
      yield* settings.update((file) => Effect.succeed({ ...file, agents: { claude: { apiKey: "wrong", program } } }))
      const { tasks } = yield* submit([submission({ agent: "claude", extra: { TOKEN: "t" } })], {
        ...person,
        environment: { PATH: "/bin" }
      })
      const first = tasks[0]?.task.id ?? (yield* Effect.dieMessage("no task"))
      assert.deepInclude((yield* queue.captured(first)).environment, { ANTHROPIC_API_KEY: "wrong", TOKEN: "t" })
      yield* queue.finish(first, failed, null)
      yield* settings.update((file) => Effect.succeed({ ...file, agents: { claude: { apiKey: "right", program } } }))
      const again = yield* retry(first, person)
      const second = again.tasks[0]?.task.id ?? (yield* Effect.dieMessage("no task"))
      assert.deepInclude((yield* queue.captured(second)).environment, { ANTHROPIC_API_KEY: "right", TOKEN: "t" })
    }).pipe(Effect.provide(withAgents))
  )

  it.effect("refuses a task that has not ended", () =>
    Effect.gen(function* () {
      const { tasks } = yield* submit([submission()], person)
      const id = tasks[0]?.task.id ?? (yield* Effect.dieMessage("no task"))
      const error = yield* Effect.flip(retry(id, person))
      assert.strictEqual(error._tag, "TaskStateConflict")
    }).pipe(Effect.provide(layer()))
  )
})
