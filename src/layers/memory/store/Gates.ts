/** Gates and groups over the in-memory store. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { type Gate, isInForce } from "../../../domain/gates/Gate.ts"
import { isTerminal } from "../../../domain/task/Task.ts"
import { Gates } from "../../../services/Gates.ts"
import { groupIn, groupsIn, holdIn } from "./GateState.ts"
import { pipelineIn } from "./PipelineState.ts"
import { put, type State, Store, type StoredPipeline, taskIn, without } from "./Store.ts"

/** False for the pause of a task or a pipeline that has ended, or that was pruned. */
const holdsSomething = (state: State, { name, scope }: Gate): boolean => {
  if (scope === "task") {
    return Array.from(state.tasks.values()).some(({ task }) => task.id === name && task.endedAt === null)
  }
  return (
    scope !== "pipeline" || Array.from(state.pipelines.values()).some((one) => one.id === name && !hasEnded(state, one))
  )
}

const hasEnded = (state: State, stored: StoredPipeline): boolean => isTerminal(pipelineIn(state, stored).status)

const runningBehind = (state: State, now: number, freeze: boolean) =>
  state.gates.flatMap((gate) =>
    gate.scope === "task" && gate.freeze === freeze && isInForce(gate, now)
      ? Array.from(state.claims.keys()).filter((id) => id === gate.name)
      : []
  )

const make = Effect.gen(function* () {
  const store = yield* Store
  const write = <A>(step: (state: State, now: number) => readonly [A, State]) =>
    store.write((state, now) => Either.right(step(state, now)))

  return Gates.of({
    close: (gate) =>
      write((state, at) => {
        const others = state.gates.filter(({ name, scope }) => scope !== gate.scope || name !== gate.name)
        return [undefined, { ...state, gates: [...others, { ...gate, at }] }]
      }),

    open: (scope, name) =>
      write((state) => {
        const rest = state.gates.filter((gate) => gate.scope !== scope || gate.name !== name)
        const found = rest.length < state.gates.length
        return [found, found ? { ...state, gates: rest } : state]
      }),

    list: store.read((state, now) => state.gates.filter((gate) => isInForce(gate, now)).sort((a, b) => a.at - b.at)),

    holding: (id) =>
      store.read((state, now) => {
        const task = taskIn(state, id)
        return task?.status === "queued" ? Option.fromNullable(holdIn(state, task, now)) : Option.none()
      }),

    freezing: store.read((state, now) => runningBehind(state, now, true)),
    pausing: store.read((state, now) => runningBehind(state, now, false)),

    nextOpening: store.read((state, now) => {
      const times = state.gates.flatMap(({ until }) => (until !== null && until > now ? [until] : []))
      return times.length === 0 ? Option.none() : Option.some(Math.min(...times))
    }),

    tidy: write((state, now) => {
      const kept = state.gates.filter((gate) => isInForce(gate, now) && holdsSomething(state, gate))
      return [undefined, kept.length === state.gates.length ? state : { ...state, gates: kept }]
    }),

    groups: store.read(groupsIn),
    hasGroup: (name) => store.read((state) => state.groups.has(name)),
    setGroup: (name, limit) => write((state) => [undefined, { ...state, groups: put(state.groups, name, limit) }]),

    removeGroup: (name) =>
      write((state) => {
        const { running, waiting } = groupIn(state, name)
        if (running + waiting > 0) return ["busy", state]
        if (!state.groups.has(name)) return ["missing", state]
        const gates = state.gates.filter((gate) => gate.scope !== "group" || gate.name !== name)
        return ["removed", { ...state, gates, groups: without(state.groups, name) }]
      })
  })
})

export const layer = Layer.effect(Gates, make)
