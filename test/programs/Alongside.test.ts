/** Tasks that share a work tree: what their submitters are told, and that no change is called the work of one of them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { WorkspaceId } from "../../src/domain/workspace/WorkspaceId.ts"
import { GitControl } from "../../src/layers/memory/fakes/Git.ts"
import { mayRunAlongside, sharedWarning, sharedWords } from "../../src/programs/Alongside.ts"
import { takeCheckpoint } from "../../src/programs/checkpoints/takeCheckpoint.ts"
import { taskReport } from "../../src/programs/reports/taskReport.ts"
import { Queue } from "../../src/services/Queue.ts"
import { recordText } from "../../src/text/Record.ts"
import { beat, world } from "../cli/world.ts"
import { claimNext, completed, submit } from "../support/tasks.ts"

const clean = { branch: "main", commit: "1".repeat(40), dirty: [], dirtyCount: 0 }

describe("tasks in one work tree", () => {
  it.effect("know of each other while they run and after both have ended, subdirectories included", () =>
    Effect.gen(function* () {
      yield* (yield* GitControl).set("/repo", clean)
      const queue = yield* Queue
      const one = yield* submit({ prompt: "one", directory: "/repo" })
      const first = yield* claimNext()
      const two = yield* submit({ prompt: "two", directory: "/repo/sub" })
      const second = yield* claimNext()
      yield* submit({ prompt: "elsewhere", directory: "/repository" })
      yield* claimNext()
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual((yield* taskReport(one.id)).alongside, [two.id])
      assert.deepStrictEqual((yield* taskReport(two.id)).alongside, [one.id])
      assert.match((yield* beat(["status", one.id])).stdout, new RegExp(`^ran here too +${two.id}$`, "m"))

      yield* queue.finish(first.task.id, completed, first.claim)
      const left = yield* takeCheckpoint(one.id)
      yield* TestClock.adjust("1 second")
      yield* queue.finish(second.task.id, completed, second.claim)
      assert.deepStrictEqual(left.alongside, [two.id])
      assert.deepStrictEqual((yield* takeCheckpoint(two.id)).alongside, [one.id])
      const words = `changed while another task ran here: ${two.id}`
      assert.include((yield* beat(["status", one.id])).stdout, words)
      assert.deepStrictEqual((yield* taskReport(one.id)).alongside, [two.id])
      const told = recordText(one, { ...left, diffStat: "a | 1 +" }, 5000)
      assert.include(told, `by it or by others that ran in the same directory (${two.id})`)
    }).pipe(Effect.provide(world()))
  )

  it.effect("one after the other are alone, and so is one that starts after the end was looked at", () =>
    Effect.gen(function* () {
      const queue = yield* Queue
      const one = yield* submit({ directory: "/repo" })
      const first = yield* claimNext()
      yield* TestClock.adjust("1 second")
      yield* queue.finish(first.task.id, completed, first.claim)
      assert.deepStrictEqual((yield* takeCheckpoint(one.id)).alongside, [])
      yield* TestClock.adjust("1 second")
      const two = yield* submit({ directory: "/repo" })
      yield* claimNext()
      assert.deepStrictEqual((yield* taskReport(two.id)).alongside, [])
      assert.deepStrictEqual((yield* taskReport(one.id)).alongside, [])
    }).pipe(Effect.provide(world()))
  )

  it.effect("are alone where one of them works in a workspace", () =>
    Effect.gen(function* () {
      const { workspaceId, ...isolated } = yield* submit({ directory: "/repo" })
      const own = { ...isolated, workspaceId: WorkspaceId.make("w3v9x2m7q4ab") }
      const other = yield* submit({ directory: "/repo" })
      assert.isNull(workspaceId)
      assert.deepStrictEqual(yield* mayRunAlongside(own), [])
      assert.lengthOf(yield* mayRunAlongside(other), 1)
    }).pipe(Effect.provide(world()))
  )

  it.effect("are reported at the submit, unless one waits for the other, starts later or is its parent", () =>
    Effect.gen(function* () {
      const parent = yield* submit({ directory: "/repo" })
      yield* claimNext()
      const child = yield* submit({ directory: "/repo", parentId: parent.id })
      assert.deepStrictEqual(yield* mayRunAlongside(child), [])
      const after = yield* submit({ directory: "/repo", dependsOn: [{ upstream: child.id, policy: "success" }] })
      assert.deepStrictEqual(yield* mayRunAlongside(after), [])
      const later = yield* submit({ directory: "/repo", notBefore: 60_000 })
      assert.deepStrictEqual(yield* mayRunAlongside(later), [])
      const elsewhere = yield* submit({ directory: "/other" })
      assert.deepStrictEqual(yield* mayRunAlongside(elsewhere), [])
      const stranger = yield* submit({ directory: "/repo" })
      const others = yield* mayRunAlongside(stranger)
      assert.deepStrictEqual(
        others.map(({ id }) => id),
        [parent.id, child.id]
      )
      const seen = yield* beat(["run", "-a", "shell", "-C", "/other", "x"])
      assert.strictEqual(
        seen.stderr,
        `beat: task ${elsewhere.id} works in the same directory at the same time, and the changes of the two can get mixed up. To start after it: --after ${elsewhere.id}\n`
      )
      assert.include(sharedWarning(others) ?? "", `2 tasks work in the same directory at the same time`)
      assert.strictEqual(
        sharedWords([parent.id, child.id]),
        `changed while 2 other tasks ran here: ${parent.id}, ${child.id}`
      )
    }).pipe(Effect.provide(world()))
  )
})
