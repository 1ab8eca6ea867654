/** One process of several on the same database: it says that it is there, waits for the word, acts and tells. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { outcome } from "../../../../src/domain/task/Outcome.ts"
import { TaskId } from "../../../../src/domain/task/Task.ts"
import { WorkerId } from "../../../../src/domain/worker/Worker.ts"
import * as Ids from "../../../../src/layers/node/system/Ids.ts"
import * as Database from "../../../../src/layers/sql/database/Database.ts"
import * as SqlServices from "../../../../src/layers/sql/SqlServices.ts"
import { Queue } from "../../../../src/services/Queue.ts"
import { Tasks } from "../../../../src/services/Tasks.ts"
import { anyTask, newTask } from "../../../support/tasks.ts"
import { pathsLayer } from "../support.ts"

const [, , mode = "", home = "", name = ""] = process.argv

const list = Effect.map(
  Effect.flatMap(Tasks, (tasks) => tasks.list(anyTask)),
  (page) => page.tasks.length
)

const schema = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql`SELECT user_version AS version FROM pragma_user_version`
  return row?.version
})

const submit = Effect.gen(function* () {
  const queue = yield* Queue
  return (yield* queue.enqueue([newTask()], { maxDepth: 3 })).length
})

/** Claims and ends tasks until there is nothing left; tells which. */
const work = Effect.gen(function* () {
  const queue = yield* Queue
  const workerId = WorkerId.make(name)
  const done = []
  while (true) {
    const claimed = yield* queue.claim({
      workerId,
      maxConcurrency: 1000,
      onlyWhenIdle: false,
      bootId: "boot",
      uptimeMs: 0,
      sinceBootMs: 0,
      uid: null
    })
    if (Option.isNone(claimed)) return done
    const { task, claim } = claimed.value
    yield* queue.finish(task.id, outcome({ status: "completed", cause: "exit", exitCode: 0 }), {
      claimId: claim.claimId,
      workerId
    })
    done.push(task.id)
  }
})

/** `name` is two ids: the first is edited to wait for the second. */
const tie = Effect.gen(function* () {
  const queue = yield* Queue
  const [id, upstream] = name.split(",").map((text) => TaskId.make(text))
  if (id === undefined || upstream === undefined) return yield* Effect.dieMessage("two ids are wanted")
  const edited = yield* queue.edit(id, { dependsOn: [{ upstream, policy: "success" }] }, 0)
  return edited.waitingOn
})

const over = (database: typeof Database.layerWriter) =>
  SqlServices.layer.pipe(Layer.provideMerge(database), Layer.provideMerge(Layer.merge(Ids.layer, pathsLayer(home))))

const writing = over(Database.layerWriter)

const deeds: Readonly<Record<string, Effect.Effect<unknown, { readonly _tag: string }>>> = {
  schema: Effect.provide(schema, writing),
  submit: Effect.provide(submit, writing),
  work: Effect.provide(work, writing),
  tie: Effect.provide(tie, writing),
  list: Effect.provide(list, over(Database.layerReader))
}

const deed = deeds[mode] ?? Effect.dieMessage(`no such deed: ${mode}`)

const told = Effect.match(deed, {
  onFailure: (error) => ({
    error: { tag: error._tag, reason: "reason" in error ? error.reason : "problem" in error ? error.problem : null }
  }),
  onSuccess: (value) => ({ value })
})

process.stdout.write("ready\n")
process.stdin.once("data", () => {
  process.stdin.destroy()
  Effect.runPromise(told).then((result) => process.stdout.write(`${JSON.stringify(result)}\n`))
})
