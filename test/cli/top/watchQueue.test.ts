/** The live screen and a database that another process holds: it says so, and continues when the database is free. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { Stores } from "../../../src/cli/framework/Access.ts"
import { Caller } from "../../../src/cli/framework/Caller.ts"
import { capture } from "../../../src/cli/framework/Terminal.ts"
import { everything } from "../../../src/cli/top/Filter.ts"
import type { TopEvent } from "../../../src/cli/top/update.ts"
import { watchQueue } from "../../../src/cli/top/watchQueue.ts"
import { StorageError } from "../../../src/domain/Errors.ts"
import * as CommitNotifier from "../../../src/layers/memory/fakes/CommitNotifier.ts"
import { submit } from "../../support/tasks.ts"
import { world } from "../world.ts"

describe("the live screen", () => {
  it.scoped("waits for a database that is held, and shows what is in it afterwards", () =>
    Effect.gen(function* () {
      const context = yield* Effect.context<Layer.Layer.Success<ReturnType<typeof world>>>()
      let held: StorageError["reason"] | null = "busy"
      const store = Layer.unwrapEffect(
        Effect.sync(() =>
          held === null
            ? Layer.succeedContext(context)
            : Layer.fail(new StorageError({ operation: "open", reason: held, path: "/b/backbeat.db", cause: "x" }))
        )
      )
      const told: Array<TopEvent> = []
      yield* submit({ prompt: "here" })
      const request = { ...everything, limit: 10 }
      yield* watchQueue({ request, task: null, pane: "output", full: false, columns: 80 }, (event) =>
        Effect.sync(() => void told.push(event))
      ).pipe(
        Effect.provideService(Stores, Stores.of({ look: store, read: store, write: store })),
        Effect.provide(capture({}).layer),
        Effect.provideService(Caller, { directory: "/srv", environment: {}, version: "1.2.3" })
      )
      yield* TestClock.adjust("5 seconds")
      const words = new Set(told.map((event) => (event.kind === "trouble" ? event.text : event.kind)))
      assert.deepStrictEqual([...words], ["Waiting for the database: another process holds it."])
      held = null
      yield* TestClock.adjust("1 second")
      const views = told.flatMap((event) => (event.kind === "view" ? [event.view] : []))
      assert.deepStrictEqual(
        views.at(-1)?.queued.map(({ task }) => task.title),
        ["here"]
      )
    }).pipe(Effect.provide(Layer.merge(world(), CommitNotifier.layer)))
  )
})
