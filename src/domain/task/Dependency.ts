/** What a task waits for: when an edge is met, and which edges may be drawn. */
import * as Either from "effect/Either"
import { DependencyInvalid } from "../Errors.ts"
import type { NewDependency, NewTask, Upstream } from "./NewTask.ts"
import { type Dependency, DependencyPolicy, type DependencyState, type TaskId, type TaskSummary } from "./Task.ts"

/** Edges of one task. */
const maxDependencies = 100

/** Tasks that wait for one another in a row. */
export const maxLevel = 100

/** How an upstream task with this status resolves an edge. */
export const resolutionOf = (
  policy: DependencyPolicy,
  { cause, status }: Pick<TaskSummary, "status" | "cause">
): DependencyState => {
  if (status === "queued" || status === "running") return "pending"
  if (policy === "finished") return "met"
  const wanted = policy === "success" ? status === "completed" : status === "failed" || cause === "dependency-failed"
  return wanted ? "met" : "unmet"
}

/** `ID`, `ID:finished` or `ID:failure`, as people and agents write a dependency; else what is wrong with it. */
export const parseDependency = (
  text: string
): Either.Either<{ readonly reference: string; readonly policy: DependencyPolicy }, string> => {
  const [reference = "", policy = "success", ...rest] = text.trim().split(":")
  const known = DependencyPolicy.literals.find((literal) => literal === policy)
  return reference === "" || known === undefined || rest.length > 0
    ? Either.left(`'${text}' is not a dependency: write an id, or for example k3v9:finished or k3v9:failure`)
    : Either.right({ reference, policy: known })
}

const nameOf = (upstream: Upstream): string =>
  typeof upstream === "string" ? upstream : `number ${upstream.member + 1} of the batch`

/** The edges of a new task, each upstream once; what it continues from is one of them. */
const edgesOf = (
  task: Pick<NewTask, "continueFrom" | "dependsOn">
): Either.Either<ReadonlyArray<NewDependency>, DependencyInvalid> => {
  const edges = new Map<string, NewDependency>()
  for (const edge of task.dependsOn) {
    const name = nameOf(edge.upstream)
    const known = edges.get(name)
    if (known !== undefined && known.policy !== edge.policy) {
      return Either.left(new DependencyInvalid({ problem: "two-policies", subject: name }))
    }
    edges.set(name, edge)
  }
  if (task.continueFrom !== null && !edges.has(nameOf(task.continueFrom))) {
    edges.set(nameOf(task.continueFrom), { upstream: task.continueFrom, policy: "success" })
  }
  return edges.size > maxDependencies
    ? Either.left(new DependencyInvalid({ problem: "too-many", subject: String(edges.size) }))
    : Either.right(Array.from(edges.values()))
}

/** An edge of a stored task, as it is to be. */
export interface DrawnEdge {
  readonly upstreamId: TaskId
  readonly policy: DependencyPolicy
}

const isSameEdge = (drawn: DrawnEdge, stored: Dependency): boolean =>
  drawn.upstreamId === stored.taskId && drawn.policy === stored.policy

type IdAt = (member: number) => TaskId | undefined

/** The stored task that is meant; `idAt` names the members of the batch. */
export const idOf = (upstream: Upstream, idAt: IdAt): TaskId | undefined =>
  typeof upstream === "string" ? upstream : idAt(upstream.member)

/** The edges with the ids of stored tasks. */
export const drawn = (edges: ReadonlyArray<NewDependency>, idAt: IdAt = () => undefined): ReadonlyArray<DrawnEdge> =>
  edges.flatMap(({ policy, upstream }) => {
    const upstreamId = idOf(upstream, idAt)
    return upstreamId === undefined ? [] : [{ upstreamId, policy }]
  })

/**
 * The edges of a task after an edit: those that stay as they are, also where their task is gone by now, and those that are drawn. What
 * it continues from stays one of them, with the policy it had.
 */
export const redrawn = (
  before: ReadonlyArray<Dependency>,
  dependsOn: ReadonlyArray<NewDependency>,
  continueFrom: TaskId | null
): Either.Either<
  { readonly kept: ReadonlyArray<Dependency>; readonly fresh: ReadonlyArray<DrawnEdge> },
  DependencyInvalid
> => {
  const own = before.find(({ taskId }) => taskId === continueFrom)
  const named = dependsOn.some(({ upstream }) => upstream === continueFrom)
  const all = own === undefined || named ? dependsOn : [...dependsOn, { upstream: own.taskId, policy: own.policy }]
  return Either.map(edgesOf({ dependsOn: all, continueFrom }), (edges) => {
    const wanted = drawn(edges)
    return {
      kept: before.filter((edge) => wanted.some((one) => isSameEdge(one, edge))),
      fresh: wanted.filter((one) => !before.some((edge) => isSameEdge(one, edge)))
    }
  })
}

/** A batch in an order in which each task comes after the members it waits for, with the edges of each. */
export const orderOf = (
  tasks: ReadonlyArray<Pick<NewTask, "continueFrom" | "dependsOn">>
): Either.Either<
  ReadonlyArray<{ readonly member: number; readonly edges: ReadonlyArray<NewDependency> }>,
  DependencyInvalid
> =>
  Either.gen(function* () {
    const edges: Array<ReadonlyArray<NewDependency>> = []
    for (const task of tasks) edges.push(yield* edgesOf(task))
    const before = edges.map((own) =>
      own.flatMap(({ upstream }) => (typeof upstream === "string" ? [] : [upstream.member]))
    )
    const missing = before.flat().find((member) => member >= tasks.length)
    if (missing !== undefined) {
      return yield* Either.left(new DependencyInvalid({ problem: "no-member", subject: String(missing + 1) }))
    }
    const order: Array<number> = []
    const placed = new Set<number>()
    const dependents = new Map<number, Array<number>>()
    const open = before.map((members, member) => {
      for (const upstream of new Set(members)) {
        const known = dependents.get(upstream)
        if (known === undefined) dependents.set(upstream, [member])
        else known.push(member)
      }
      return new Set(members).size
    })
    const ready = open.flatMap((count, member) => (count === 0 ? [member] : []))
    for (let next = ready.shift(); next !== undefined; next = ready.shift()) {
      placed.add(next)
      order.push(next)
      for (const dependent of dependents.get(next) ?? []) {
        const left = (open[dependent] ?? 0) - 1
        open[dependent] = left
        if (left === 0) ready.push(dependent)
      }
    }
    const circling = tasks.findIndex((_, member) => !placed.has(member))
    if (circling >= 0) {
      return yield* Either.left(new DependencyInvalid({ problem: "cycle", subject: nameOf({ member: circling }) }))
    }
    return order.map((member) => ({ member, edges: edges[member] ?? [] }))
  })
