/** What the live screen says that tasks wait for: what `beat why` says, found for all rows together. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { BudgetName } from "../../../src/domain/budgets/Budget.ts"
import type { TaskId } from "../../../src/domain/task/Task.ts"
import { WorkspaceId } from "../../../src/domain/workspace/WorkspaceId.ts"
import * as Host from "../../../src/layers/memory/fakes/Host.ts"
import * as Processes from "../../../src/layers/memory/fakes/Processes.ts"
import * as SettingsStore from "../../../src/layers/memory/fakes/SettingsStore.ts"
import * as WorkerLauncher from "../../../src/layers/memory/fakes/WorkerLauncher.ts"
import { makeLook } from "../../../src/programs/top/Look.ts"
import { why } from "../../../src/programs/why/why.ts"
import { Budgets } from "../../../src/services/Budgets.ts"
import { Gates } from "../../../src/services/Gates.ts"
import { Questions } from "../../../src/services/Questions.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { testSql } from "../../support/stores.ts"
import { claimNext, parked, submit, submitAndClaim } from "../../support/tasks.ts"

const layer = Layer.mergeAll(testSql, Host.layer, Processes.layer, SettingsStore.layer({}), WorkerLauncher.layer)

const everything = { status: [], agent: null, labels: {}, directory: null, since: null }

const waits = Effect.gen(function* () {
  const { look } = yield* makeLook
  const { queued, running } = yield* look({ filter: everything, text: "", limit: 100 })
  return new Map<TaskId, string | undefined>([...running, ...queued].map(({ task, wait }) => [task.id, wait?.kind]))
})

const workspace = {
  kind: "new",
  id: WorkspaceId.make("w".repeat(12)),
  home: "/home/ann/shop",
  subdirectory: "",
  base: "a".repeat(40),
  baseKind: "head",
  path: "/state/shop"
} as const

describe("the live screen", () => {
  it.effect("gives the reason that why gives for questions, budgets, pauses and workspaces", () =>
    Effect.gen(function* () {
      const questions = yield* Questions
      const asking = yield* submitAndClaim({ agent: "claude" })
      yield* questions.ask({ taskId: asking.task.id, askedBy: "agent", text: "Which?", options: [] })
      const waiting = yield* submitAndClaim({ agent: "claude" })
      yield* questions.ask({ taskId: waiting.task.id, askedBy: "agent", text: "Which?", options: [] })
      yield* (yield* Queue).park(waiting.claim, parked({ limit: false, sessionId: "s" }))
      const working = yield* submitAndClaim({ workspace })
      const next = yield* submit({ workspace: { kind: "existing", id: workspace.id, startCommit: null } })
      yield* (yield* Budgets).set({
        name: BudgetName.make("daily"),
        scope: "agent",
        value: "codex",
        period: "day",
        metric: "usd",
        amount: 1,
        warnPercent: 80,
        action: "pause",
        timezone: "UTC"
      })
      yield* submit({ agent: "codex" })
      const spender = yield* claimNext()
      const held = yield* submit({ agent: "codex" })
      const paused = yield* submit({ agent: "gemini" })
      yield* (yield* Gates).close({
        scope: "agent",
        name: "gemini",
        until: null,
        reason: null,
        by: "ann",
        freeze: false
      })
      const found = yield* waits
      const reasons = [
        [asking.task.id, "asks", "asks"],
        [waiting.task.id, "asks", "asks"],
        [next.id, "workspace", "workspace"],
        [held.id, "budget", "budget"],
        [paused.id, "gate", "paused"]
      ] as const
      for (const [id, kind] of reasons) assert.strictEqual(found.get(id), kind)
      assert.isUndefined(found.get(working.task.id))
      assert.isUndefined(found.get(spender.task.id))
      // No worker serves the queue here, and one that does not is lost: both name themselves before a workspace does.
      for (const [id, , reason] of reasons) {
        if (id !== next.id && id !== asking.task.id) assert.strictEqual((yield* why(id)).reason, reason)
      }
    }).pipe(Effect.provide(layer))
  )
})
