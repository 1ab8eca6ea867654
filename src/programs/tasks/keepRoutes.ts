/**
 * Keeps the requests of delegated tasks on the way that the person chose: what decides server, key and set-up of an agent comes
 * from the task at the top of the tree, not from the agent that delegates.
 */

import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { isNesting } from "../../domain/environment/isNesting.ts"
import { ownOf } from "../../domain/Named.ts"
import type { Settings } from "../../domain/settings/Settings.ts"
import type { Environment } from "../../domain/task/NewTask.ts"
import { redirections, routeOf, withRoutesOf } from "../../domain/task/Routes.ts"
import type { TaskId } from "../../domain/task/Task.ts"
import { OutsideTask } from "../../domain/task/TaskBoundary.ts"
import { Queue } from "../../services/Queue.ts"
import { Tasks } from "../../services/Tasks.ts"
import type { Submitter } from "./Submitter.ts"

/** Deeper than agents can delegate. */
const mostLevels = 200

/** The environment of the topmost task that is still stored; none where even this one is not, as in another home. */
const environmentAbove = Effect.fn("keepRoutes.above")(function* (id: TaskId) {
  const tasks = yield* Tasks
  const queue = yield* Queue
  let top: Option.Option<TaskId> = Option.none()
  let next: TaskId | null = id
  for (let level = 0; next !== null && level < mostLevels; level += 1) {
    const found: Option.Option<{ readonly id: TaskId; readonly parentId: TaskId | null }> = yield* tasks
      .summary(next)
      .pipe(
        Effect.map(Option.some),
        Effect.catchTag("TaskNotFound", () => Effect.succeedNone)
      )
    if (Option.isNone(found)) break
    top = Option.some(found.value.id)
    next = found.value.parentId
  }
  if (Option.isNone(top)) return Option.none<Environment>()
  return yield* queue.captured(top.value).pipe(
    Effect.map(({ environment }) => Option.some(environment)),
    // It was pruned in between.
    Effect.catchTag("TaskNotFound", () => Effect.succeedNone)
  )
})

const sentence = (names: ReadonlyArray<string>): string =>
  `${names.join(", ")}: taken from the task at the top and not from this process, because an agent may not change where the requests of a task go`

/**
 * The environment that a task is prepared from. What an agent gives a task explicitly may not redirect it; what its process has
 * otherwise (a sandbox sets proxies, for instance) gives way. The agent `shell` sends no requests and is not bound: its script
 * can set what it likes, and what it delegates in turn goes by the top of the tree again.
 */
export const keepRoutes = Effect.fn("keepRoutes")(function* (
  work: { readonly agent: string | null; readonly extra: Environment },
  submitter: Submitter,
  settings: Settings
) {
  const { environment, inside } = submitter
  const agent = work.agent ?? settings.defaultAgent ?? null
  if (inside === undefined || agent === "shell") return { environment, warnings: [], programPath: undefined }
  const found = yield* environmentAbove(inside)
  const above = Option.getOrElse(found, () => environment)
  const fixed = (agent === null ? undefined : ownOf(settings.agents, agent)?.env) ?? {}
  const [first] = redirections(work.extra, { ...above, ...fixed })
  const route = first === undefined ? null : routeOf(first)
  const overridden = Object.keys(work.extra).find(
    (name) => Object.hasOwn(fixed, name) && work.extra[name] !== fixed[name]
  )
  const name = first ?? overridden
  if (name !== undefined) {
    return yield* new OutsideTask({
      inside,
      step: `set ${name} for a task that it delegates`,
      because:
        route === null
          ? `the settings fix this variable for ${agent}`
          : `the variable decides ${route}, and with it where requests and keys go`
    })
  }
  const kept = withRoutesOf(environment, above)
  // Variables that an agent sets for its own children reach no task, and change nothing.
  const replaced = kept.replaced.filter((name) => !isNesting(name))
  return {
    environment: kept.environment,
    programPath: Option.isSome(found) ? above.PATH : undefined,
    warnings: replaced.length === 0 ? [] : [sentence(replaced)]
  }
})
