/** A round is what its last work left: where that could not be sealed, what an earlier step or attempt left does not pass for it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { CommitId } from "../../../src/domain/workspace/Workspace.ts"
import { WorkspaceFailed } from "../../../src/domain/workspace/WorkspaceErrors.ts"
import { WorkspaceId } from "../../../src/domain/workspace/WorkspaceId.ts"
import { SpawnerControl } from "../../../src/layers/memory/fakes/SpawnerControl.ts"
import { Agents } from "../../../src/services/Agents.ts"
import { Loops, type NewLoop } from "../../../src/services/Loops.ts"
import { WorkspaceGit } from "../../../src/services/WorkspaceGit.ts"
import { loopRules } from "../../support/loopRules.ts"
import { newTask } from "../../support/tasks.ts"
import { ended, eventually, nextStart, pool, sqlLayer } from "../pooled.ts"

const commit = (fill: string) => CommitId.make(fill.repeat(40))

/** An automatic retry is prepared like a submission. */
const preparing = Layer.effect(
  Agents,
  Effect.map(Agents, (agents) =>
    Agents.of({
      ...agents,
      prepare: ({ environment, model }) => {
        const { agent, launch } = newTask({ agent: "claude" })
        return Effect.succeed({ agent, model, launch, environment, sessionId: null, stallMs: null, warnings: [] })
      }
    })
  )
).pipe(Layer.provideMerge(sqlLayer()))

/** Git whose first seals succeed: as many as there are commits here. */
const sealing = (...commits: ReadonlyArray<CommitId>) => {
  const next = [...commits]
  const startedAt: Array<CommitId> = []
  const layer = Layer.mock(WorkspaceGit, {
    isWhole: () => Effect.succeed(true),
    startAt: (_workspace, at) => Effect.sync(() => void startedAt.push(at)),
    changed: (_repository, _from, _to, pathspecs) => Effect.succeed(pathspecs.length === 0 ? ["notes"] : []),
    tree: () => Effect.succeed(commit("e")),
    placed: Effect.succeed([]),
    trashed: Effect.succeed([]),
    size: () => Effect.succeed(null),
    seal: ({ workspace }) => {
      const sealed = next.shift()
      return sealed === undefined
        ? Effect.fail(new WorkspaceFailed({ step: "seal", path: workspace.path, detail: "its repository is gone" }))
        : Effect.succeed({
            commit: sealed,
            tree: sealed,
            files: 1,
            insertions: 1,
            deletions: 0,
            commits: 0,
            nested: [],
            home: true,
            problem: null
          })
    }
  })
  return { layer: Layer.merge(preparing, layer), startedAt }
}

const workspace = {
  kind: "new" as const,
  id: WorkspaceId.make("ws0000000001"),
  home: "/home/b/shop",
  subdirectory: "",
  base: commit("b"),
  baseKind: "head" as const,
  path: "/home/b/workspaces/ws0000000001/shop"
}

const work = (name: string | null, overrides: Parameters<typeof newTask>[0] = {}) => ({
  name,
  task: newTask({ agent: "claude", backoffMs: 0, workspace, ...overrides })
})

const open = (steps: NewLoop["work"]) =>
  Effect.gen(function* () {
    const rules = loopRules({ maxRounds: 1, protect: ["test/**"] })
    const evaluations = [{ role: "until" as const, task: newTask({ prompt: "npm test", workspace }) }]
    return yield* (yield* Loops).create(
      { rules, goal: null, work: steps, evaluations, stepTask: null },
      { maxDepth: 1 }
    )
  })

/** The next task starts, and its agent ends with this code. */
const ends = (exitCode: number) =>
  Effect.gen(function* () {
    const { claim, task } = yield* nextStart
    yield* (yield* SpawnerControl).end(claim.claimId, { exitCode, signal: null })
    return yield* ended(task.id)
  })

const roundOf = ({ id }: Effect.Effect.Success<ReturnType<typeof open>>) =>
  Effect.gen(function* () {
    const loops = yield* Loops
    yield* eventually(
      "the loop ends",
      Effect.map(loops.get(id), ({ endedAt }) => endedAt !== null)
    )
    const { rounds, status } = yield* loops.get(id)
    return { status, ...rounds[0] }
  })

const unsealed = {
  status: "exhausted",
  verdict: "error",
  kept: false,
  commit: null,
  workError: "its work could not be sealed"
} as const

describe("a round whose last work could not be sealed", () => {
  it.scoped("does not pass with the commit of the step before", () => {
    const { layer } = sealing(commit("1"))
    return Effect.gen(function* () {
      const loop = yield* open([work("one"), work("two")])
      yield* pool()
      yield* ends(0)
      yield* ends(0)
      assert.strictEqual((yield* ends(0)).agent, "shell")
      assert.deepInclude(yield* roundOf(loop), unsealed)
    }).pipe(Effect.provide(layer))
  })

  it.scoped("does not pass with the commit of the attempt before", () => {
    const { layer } = sealing(commit("1"))
    return Effect.gen(function* () {
      yield* TestClock.setTime(1)
      const loop = yield* open([work(null, { maxRetries: 1 })])
      yield* pool()
      assert.isNotNull((yield* ends(1)).retriedBy)
      yield* ends(0)
      assert.strictEqual((yield* ends(0)).agent, "shell")
      assert.deepInclude(yield* roundOf(loop), unsealed)
    }).pipe(Effect.provide(layer))
  })

  it.scoped("is an error also where the evaluation says no to files that are in no commit", () => {
    const { layer } = sealing()
    return Effect.gen(function* () {
      const loop = yield* open([work(null)])
      yield* pool()
      yield* ends(0)
      yield* ends(1)
      assert.deepInclude(yield* roundOf(loop), unsealed)
    }).pipe(Effect.provide(layer))
  })
})

it.scoped("a round passes with the commit of its last step, which the evaluation finds", () => {
  const { layer, startedAt } = sealing(commit("1"), commit("2"))
  return Effect.gen(function* () {
    const loop = yield* open([work("one"), work("two")])
    yield* pool()
    yield* ends(0)
    yield* ends(0)
    yield* ends(0)
    assert.deepInclude(yield* roundOf(loop), { status: "passed", verdict: "pass", kept: true, commit: commit("2") })
    assert.deepStrictEqual(startedAt, [commit("2")])
  }).pipe(Effect.provide(layer))
})
