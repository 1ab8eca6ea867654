/** Fires the schedules whose time has come, one time of each after the other, and pauses those that cannot run any more. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { tasksOf } from "../../domain/schedule/Schedule.ts"
import type { ScheduleId } from "../../domain/schedule/ScheduleId.ts"
import { Agents } from "../../services/Agents.ts"
import { Installation } from "../../services/Installation.ts"
import { type Due, type FireAnswer, Schedules } from "../../services/Schedules.ts"

/** Read at once; the next ones come with the next look. */
const atOnce = 50

/** Looks in one call: whoever is late by more lets other work in between. */
const mostLooks = 20

/** The agents that are known; null where a broken config file keeps that from being told. */
const knownAgents = Effect.gen(function* () {
  const listed = yield* Effect.either((yield* Agents).list({}))
  return Either.isRight(listed) ? new Set(listed.right.map(({ name }) => name)) : null
})

/** Why what the schedule starts cannot run any more; null when nothing stands against it. */
const problemWith = Effect.fn("schedule.problem")(function* ({ work }: Due, known: ReadonlySet<string> | null) {
  const installation = yield* Installation
  for (const { agent, directory, launch } of tasksOf(work)) {
    if (known !== null && !known.has(agent)) {
      return `there is no agent '${agent}' any more: put it back into the config, or name another with 'beat schedule edit'`
    }
    if ((yield* installation.file(directory)).kind !== "directory") {
      return `the directory ${directory} is not there any more: create it again, or 'beat schedule edit --directory'`
    }
    if ((yield* installation.file(launch.file)).kind !== "file") {
      return `the program ${launch.file} is not there any more: install it again, or 'beat schedule edit --agent ${agent}'`
    }
  }
  return null
})

const pause = Effect.fn("schedule.pause")(function* ({ schedule }: Due, reason: string) {
  const schedules = yield* Schedules
  yield* schedules.pause(schedule.id, { reason, revision: schedule.revision }).pipe(
    Effect.zipRight(Effect.logWarning(`schedule ${schedule.id} is paused: ${reason}`)),
    // Somebody else has changed it meanwhile.
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

/** Fires those that nothing stands against. Returns the schedules that have to be fired before some of them. */
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

/** The schedule as it is due; none when it is not, or not any more. */
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
 * Fires what has been due for `overdueMs`; returns whether there was anything. To be called again for as long as something
 * is: it looks at the state alone.
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
