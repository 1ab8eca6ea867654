/** What a monitoring system reads: well formed, without anything private, and its histograms add up. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { GroupName } from "../../../src/domain/gates/GroupName.ts"
import { metricsText } from "../../../src/programs/metrics/metricsText.ts"
import { Questions } from "../../../src/services/Questions.ts"
import { Queue } from "../../../src/services/Queue.ts"
import { testSql } from "../../support/stores.ts"
import { claimNext, completed, submit } from "../../support/tasks.ts"

const line =
  /^backbeat_[a-z_]+(\{[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\[\\"n])*")*\})? -?[0-9.e+]+$/

describe("the metrics", () => {
  it.effect("are in the format of Prometheus, each family once, and hold no prompt, path or id", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      yield* submit({ prompt: "a secret prompt", directory: "/home/anna/secret", agent: 'odd"\\agent' })
      const { claim, task } = yield* claimNext()
      yield* TestClock.adjust("7 seconds")
      yield* queue.finish(task.id, completed, claim)
      yield* submit({ group: GroupName.make("review") })
      const asking = yield* claimNext()
      yield* (yield* Questions).ask({ taskId: asking.task.id, askedBy: "anna", text: "a secret question", options: [] })
      yield* TestClock.adjust("3 seconds")
      const text = yield* metricsText()
      assert.isTrue(text.endsWith("\n"))
      const lines = text.slice(0, -1).split("\n")
      for (const one of lines) if (!one.startsWith("# ")) assert.match(one, line)
      const types = lines.filter((one) => one.startsWith("# TYPE")).map((one) => one.split(" ")[2])
      assert.strictEqual(new Set(types).size, types.length)
      for (const secret of ["secret", "anna", task.id, "boot-1"]) assert.notInclude(text, secret)
      assert.include(lines, 'backbeat_tasks{status="running",agent="shell",group="review"} 1')
      assert.include(lines, 'backbeat_run_seconds_bucket{agent="odd\\"\\\\agent",le="5"} 0')
      assert.include(lines, 'backbeat_run_seconds_bucket{agent="odd\\"\\\\agent",le="15"} 1')
      assert.include(lines, 'backbeat_run_seconds_bucket{agent="odd\\"\\\\agent",le="+Inf"} 1')
      assert.include(lines, 'backbeat_run_seconds_sum{agent="odd\\"\\\\agent"} 7')
      assert.include(lines, 'backbeat_run_seconds_count{agent="odd\\"\\\\agent"} 1')
      assert.include(lines, "backbeat_oldest_question_seconds 3")
    }).pipe(Effect.provide(testSql))
  )
})
