/** Fires due schedules, one due time of each after the other, and pauses schedules that can no longer run. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { tasksOf } from "../../domain/schedule/Schedule.ts"
import type { ScheduleId } from "../../domain/schedule/ScheduleId.ts"
import { Agents } from "../../services/Agents.ts"
import { Installation } from "../../services/Installation.ts"
import { type Due, type FireAnswer, Schedules } from "../../services/Schedules.ts"

/** The most schedules in one read; the next read gets the others. */
const atOnce = 50

/** The most reads in one call: with a longer backlog, other work runs in between. */
const mostLooks = 20

/** The known agents; null if a broken config file hides them. */
const knownAgents = Effect.gen(function* () {
  const listed = yield* Effect.either((yield* Agents).list({}))
  return Either.isRight(listed) ? new Set(listed.right.map(({ name }) => name)) : null
})

/** Why the schedule's work can no longer run; null if it can. */
const problemWith = Effect.fn("schedule.problem")(function* ({ work }: Due, known: ReadonlySet<string> | null) {
  const installation = yield* Installation
  for (const { agent, directory, launch } of tasksOf(work)) {
    const agents = [agent, ...(launch.loop?.steps ?? []).flatMap((step) => step.agent ?? [])]
    const lost = known === null ? undefined : agents.find((name) => !known.has(name))
    if (lost !== undefined) {
      return `there is no agent '${lost}' any more: add it to the config again, or choose another one with 'beat schedule edit'`
    }
    if ((yield* installation.file(directory)).kind !== "directory") {
      return `the directory ${directory} does not exist any more: create it again, or choose another one with 'beat schedule edit --directory'`
    }
    if ((yield* installation.file(launch.file)).kind !== "file") {
      return `the program ${launch.file} does not exist any more: install it again, or run 'beat schedule edit --agent ${agent}'`
    }
  }
  return null
})

const pause = Effect.fn("schedule.pause")(function* ({ schedule }: Due, reason: string) {
  const schedules = yield* Schedules
  yield* schedules.pause(schedule.id, { reason, revision: schedule.revision }).pipe(
    Effect.zipRight(Effect.logWarning(`schedule ${schedule.id} is paused: ${reason}`)),
    // Another process has changed it in the meantime.
    Effect.catchTags({ ScheduleNotFound: () => Effect.void, ScheduleStateConflict: () => Effect.void })
  )
})

const tell = (due: Due, answer: FireAnswer) => {
  switch (answer._tag) {
    case "Fired":
      return Effect.logInfo(
        `schedule ${due.schedule.id}: started ${answer.execution.taskId ?? answer.execution.pipelineId ?? "nothing"}`
      )
    case "Recorded":
      return Effect.forEach(
        answer.executions,
        ({ count, reason, status }) =>
          Effect.logInfo(`schedule ${due.schedule.id}: ${count} ${status} (${reason ?? "?"})`),
        { discard: true }
      )
    case "Lost":
    case "Behind":
      return Effect.void
  }
}

/** Fires the schedules that can run. Returns the schedules that have to fire before some of them. */
const fireTogether = Effect.fn("schedule.fire")(function* (due: ReadonlyArray<Due>, known: ReadonlySet<string> | null) {
  const schedules = yield* Schedules
  const able: Array<Due> = []
  for (const one of due) {
    const problem = yield* problemWith(one, known)
    if (problem === null) able.push(one)
    else yield* pause(one, problem)
  }
  if (able.length === 0) return []
  const answers = yield* schedules.fire(able)
  yield* Effect.forEach(able, (one, at) => tell(one, answers[at] ?? { _tag: "Lost" }), { discard: true })
  return answers.flatMap((answer) => (answer._tag === "Behind" ? [answer.first] : []))
})

/** The schedule with its work if it is still active; otherwise none. */
const dueOf = Effect.fn("schedule.due")(function* (id: ScheduleId) {
  const schedules = yield* Schedules
  return yield* Effect.all({ schedule: schedules.get(id), work: schedules.work(id) }).pipe(
    Effect.option,
    Effect.map(Option.filter(({ schedule }) => schedule.status === "active"))
  )
})

/** Fires the schedules that others wait for, from the last to the first. There are no circles. */
const fireLeaders = Effect.fn("schedule.leaders")(function* (
  first: ReadonlyArray<ScheduleId>,
  known: ReadonlySet<string> | null
) {
  let waiting = first
  for (let step = 0; step < mostLooks && waiting.length > 0; step += 1) {
    const due = yield* Effect.forEach(Array.from(new Set(waiting)), dueOf)
    waiting = yield* fireTogether(due.flatMap(Option.toArray), known)
  }
})

/**
 * Fires the schedules that have been due for `overdueMs`; returns whether there were any. Call it again while there are
 * some: it depends only on the stored state.
 */
export const fireSchedules = Effect.fn("fireSchedules")(function* ({ overdueMs } = { overdueMs: 0 }) {
  const schedules = yield* Schedules
  const until = Effect.map(Clock.currentTimeMillis, (now) => now - overdueMs)
  const first = yield* until
  if (Option.match(yield* schedules.nextFire, { onNone: () => true, onSome: (at) => at > first })) return false
  const known = yield* knownAgents
  for (let look = 0; look < mostLooks; look += 1) {
    const due = yield* schedules.due(yield* until, atOnce)
    if (due.length === 0) break
    yield* fireLeaders(yield* fireTogether(due, known), known)
  }
  return true
})
