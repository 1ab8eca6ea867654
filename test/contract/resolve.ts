/** What every read model promises of references: ids, unique prefixes and `@last`. */
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { TaskId } from "../../src/domain/task/Task.ts"
import { Queue } from "../../src/services/Queue.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { type Subject, testsOver } from "../support/stores.ts"
import { newTask, submit } from "../support/tasks.ts"

/** More tasks than there are first characters, so that two ids must share one. */
const crowd = Effect.gen(function* () {
  const queue = yield* Queue
  const many = Array.from({ length: 33 }, () => newTask())
  return (yield* queue.enqueue(many, { maxDepth: 3 })).map(({ task }) => task.id)
})

const sharing = (ids: ReadonlyArray<TaskId>, prefix: string) => ids.filter((id) => id.startsWith(prefix))

export const resolveContract = (subject: Subject) => {
  const test = testsOver(subject)

  describe(`Tasks.resolve over ${subject.name}`, () => {
    test(
      "takes an id, or the shortest prefix that only it has",
      Effect.gen(function* () {
        const tasks = yield* Tasks
        const ids = yield* crowd
        for (const id of ids) {
          assert.strictEqual(yield* tasks.resolve(id), id)
          const length = Array.from(id, (_, index) => index + 1).find((n) => sharing(ids, id.slice(0, n)).length === 1)
          assert.strictEqual(yield* tasks.resolve(id.slice(0, length)), id)
        }
      })
    )

    test(
      "takes one character where that is enough",
      Effect.gen(function* () {
        const { id } = yield* submit()
        assert.strictEqual(yield* (yield* Tasks).resolve(id.slice(0, 1)), id)
      })
    )

    test(
      "names candidates where several fit",
      Effect.gen(function* () {
        const tasks = yield* Tasks
        const ids = yield* crowd
        const prefix = ids.map((id) => id.slice(0, 1)).find((first) => sharing(ids, first).length > 1) ?? ""
        const error = yield* Effect.flip(tasks.resolve(prefix))
        assert(error._tag === "AmbiguousReference")
        assert.strictEqual(error.reference, prefix)
        assert.isAtLeast(error.candidates.length, 2)
        assert.includeMembers(sharing(ids, prefix).map(String), Array.from(error.candidates))
      })
    )

    test(
      "takes @last for the newest",
      Effect.gen(function* () {
        const tasks = yield* Tasks
        assert.strictEqual((yield* Effect.flip(tasks.resolve("@last")))._tag, "TaskNotFound")
        yield* submit()
        const last = yield* submit({ priority: "P2" })
        assert.strictEqual(yield* tasks.resolve("@last"), last.id)
      })
    )

    test(
      "knows nothing else, and no wildcards",
      Effect.gen(function* () {
        const tasks = yield* Tasks
        const { id } = yield* submit()
        for (const reference of ["", "%", "_", "*", "?", "[0-z]", `${id}0`, `${id.slice(0, 2)}%`, "'", "@", "@first"]) {
          const error = yield* Effect.flip(tasks.resolve(reference))
          assert(error._tag === "TaskNotFound", reference)
          assert.strictEqual(error.reference, reference)
        }
      })
    )
  })
}
