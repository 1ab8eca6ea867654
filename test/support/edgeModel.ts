/** Random edits and ends of tasks that wait for one another, against a model that knows nothing of levels. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { maxLevel } from "../../src/domain/task/Dependency.ts"
import { type TaskId, TaskId as TaskIdSchema } from "../../src/domain/task/Task.ts"
import { Queue } from "../../src/services/Queue.ts"
import { claimOptions, completed, newTask } from "./tasks.ts"

export type Change =
  /** The task waits for these from now on. */
  | { readonly _tag: "Edit"; readonly task: number; readonly upstream: ReadonlyArray<number> }
  | { readonly _tag: "Submit"; readonly upstream: ReadonlyArray<number> }
  /** This many that may start end, in their order. */
  | { readonly _tag: "End"; readonly count: number }

const place = FastCheck.nat(10_000)
const upstream = FastCheck.array(place, { maxLength: 3 })

/** Rows of tasks to begin with, long enough that limits are met, and what happens then. */
export const anyHistory = FastCheck.record({
  rows: FastCheck.array(FastCheck.constantFrom(1, 5, 30, 60, 99), { minLength: 1, maxLength: 2 }),
  changes: FastCheck.array(
    FastCheck.oneof(
      { weight: 5, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Edit" as const), task: place, upstream }) },
      { weight: 1, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Submit" as const), upstream }) },
      {
        weight: 2,
        arbitrary: FastCheck.record({ _tag: FastCheck.constant("End" as const), count: FastCheck.nat(30) })
      }
    ),
    { minLength: 1, maxLength: 16 }
  )
})
export type History = typeof anyHistory extends FastCheck.Arbitrary<infer A> ? A : never

/** Work behind work that has mostly ended: how high it stands is worked out anew before it is refused. */
export const staleLevels: History = {
  rows: [60, 60],
  changes: [
    { _tag: "End", count: 50 },
    { _tag: "Edit", task: 60, upstream: [59] },
    { _tag: "Edit", task: 50, upstream: [119] }
  ]
}

interface Node {
  readonly waitsFor: ReadonlySet<number>
  readonly ended: boolean
}

/** What is wrong with a graph: by the rows of tasks in it alone. */
const problemOf = (nodes: ReadonlyArray<Node>): "cycle" | "too-deep" | null => {
  const open = new Map<number, number>()
  const behind = new Map<number, Array<number>>()
  for (const [at, node] of nodes.entries()) {
    const pending = Array.from(node.waitsFor).filter((other) => nodes[other]?.ended === false)
    open.set(at, pending.length)
    for (const other of pending) behind.set(other, [...(behind.get(other) ?? []), at])
  }
  const ready = nodes.flatMap((_, at) => (open.get(at) === 0 ? [{ at, height: 0 }] : []))
  const height = new Map<number, number>()
  let highest = 0
  for (let next = ready.shift(); next !== undefined; next = ready.shift()) {
    highest = Math.max(highest, next.height)
    for (const other of behind.get(next.at) ?? []) {
      height.set(other, Math.max(height.get(other) ?? 0, next.height + 1))
      const left = (open.get(other) ?? 0) - 1
      open.set(other, left)
      if (left === 0) ready.push({ at: other, height: height.get(other) ?? 0 })
    }
  }
  if (Array.from(open.values()).some((left) => left > 0)) return "cycle"
  return highest > maxLevel ? "too-deep" : null
}

/** What a store says is wrong, as the model says it. */
const refusal = (
  answer: Either.Either<unknown, { readonly _tag: string; readonly problem?: string }>
): string | null => (Either.isLeft(answer) ? (answer.left.problem ?? answer.left._tag) : null)

/** Plays a history; `check` looks at what is stored after each change. */
export const playHistory = <E, R>({ changes, rows }: History, check: Effect.Effect<unknown, E, R>) =>
  Effect.gen(function* () {
    const queue = yield* Queue
    const ids: Array<TaskId> = []
    let nodes: ReadonlyArray<Node> = []

    const submit = (all: ReadonlyArray<ReadonlyArray<number>>) =>
      queue.enqueue(
        all.map((waitsFor) =>
          newTask({
            dependsOn: waitsFor.map((at) => ({
              upstream: ids[at] ?? { member: at - ids.length },
              policy: "finished" as const
            }))
          })
        ),
        { maxDepth: 10 }
      )

    for (const length of rows) {
      const from = ids.length
      const row = Array.from({ length }, (_, at) => (at === 0 ? [] : [from + at - 1]))
      const stored = yield* submit(row)
      ids.push(...stored.map(({ task }) => task.id))
      nodes = [...nodes, ...row.map((waitsFor) => ({ waitsFor: new Set(waitsFor), ended: false }))]
    }

    for (const change of changes) {
      if (change._tag === "End") {
        for (let count = 0; count < change.count; count++) {
          const claimed = yield* queue.claim(claimOptions())
          if (Option.isNone(claimed)) break
          yield* queue.finish(claimed.value.task.id, completed, claimed.value.claim)
          const at = ids.indexOf(claimed.value.task.id)
          nodes = nodes.map((node, other) => (other === at ? { ...node, ended: true } : node))
        }
      } else if (change._tag === "Submit") {
        const waitsFor = new Set(change.upstream.map((other) => other % ids.length))
        const next = [...nodes, { waitsFor, ended: false }]
        const stored = yield* Effect.either(submit([Array.from(waitsFor)]))
        const problem = problemOf(next)
        assert.strictEqual(refusal(stored), problem)
        if (Either.isRight(stored)) {
          nodes = next
          ids.push(...stored.right.map(({ task }) => task.id))
        }
      } else {
        const at = change.task % ids.length
        const waitsFor = new Set(change.upstream.map((other) => other % ids.length).filter((other) => other !== at))
        const id = ids[at] ?? TaskIdSchema.make("zzzzzzzzzzzz")
        if (nodes[at]?.ended !== false) continue
        const next = nodes.map((node, other) => (other === at ? { waitsFor, ended: false } : node))
        const { revision } = yield* queue.captured(id)
        const dependsOn = Array.from(waitsFor, (other) => ({ upstream: ids[other] ?? id, policy: "finished" as const }))
        const edited = yield* Effect.either(queue.edit(id, { dependsOn }, revision))
        const problem = problemOf(next)
        assert.strictEqual(refusal(edited), problem)
        if (Either.isRight(edited)) {
          const pending = Array.from(waitsFor).filter((other) => nodes[other]?.ended === false)
          assert.strictEqual(edited.right.waitingOn, pending.length)
          nodes = next
        }
      }
      yield* check
    }
  })
