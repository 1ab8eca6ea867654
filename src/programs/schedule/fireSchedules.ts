/** Fires the schedules whose time has come, one time of each after the other, and pauses those that cannot run any more. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { type ScheduleId, tasksOf } from "../../domain/Schedule.ts"
import { Agents } from "../../services/Agents.ts"
import { Installation } from "../../services/Installation.ts"
import { type Due, Schedules } from "../../services/Schedules.ts"

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

const fireOne = Effect.fn("schedule.fire")(function* (due: Due, known: ReadonlySet<string> | null) {
  const schedules = yield* Schedules
  const problem = yield* problemWith(due, known)
  if (problem !== null) {
    yield* pause(due, problem)
    return null
  }
  const answer = yield* schedules.fire(due)
  if (answer._tag === "Fired") {
    const { pipelineId, taskId } = answer.execution
    yield* Effect.logInfo(`schedule ${due.schedule.id}: started ${taskId ?? pipelineId ?? "nothing"}`)
  }
  if (answer._tag === "Recorded") {
    for (const { count, reason, status } of answer.executions) {
      yield* Effect.logInfo(`schedule ${due.schedule.id}: ${count} ${status}${reason === null ? "" : ` (${reason})`}`)
    }
  }
  return answer._tag === "Behind" ? answer.first : null
})

/** The schedule as it is due; none when it is not, or not any more. */
const dueOf = Effect.fn("schedule.due")(function* (id: ScheduleId) {
  const schedules = yield* Schedules
  return yield* Effect.all({ schedule: schedules.get(id), work: schedules.work(id) }).pipe(
    Effect.option,
    Effect.map(Option.filter(({ schedule }) => schedule.status === "active"))
  )
})

/** Fires a schedule, and before it those that it follows. There are no circles. */
const fireInOrder = Effect.fn("schedule.inOrder")(function* (due: Due, known: ReadonlySet<string> | null) {
  const waiting: Array<Due> = [due]
  for (let step = 0; step < atOnce && waiting.length > 0; step += 1) {
    const next = waiting.at(-1)
    if (next === undefined) return
    const first = yield* fireOne(next, known)
    const leader = first === null ? Option.none() : yield* dueOf(first)
    if (Option.isSome(leader)) waiting.push(leader.value)
    else waiting.pop()
  }
})

/** Returns whether anything was due. To be called again for as long as something is: it looks at the state alone. */
export const fireSchedules = Effect.fn("fireSchedules")(function* () {
  const schedules = yield* Schedules
  const now = yield* Clock.currentTimeMillis
  if (Option.match(yield* schedules.nextFire, { onNone: () => true, onSome: (at) => at > now })) return false
  const known = yield* knownAgents
  for (let look = 0; look < mostLooks; look += 1) {
    const due = yield* schedules.due(yield* Clock.currentTimeMillis, atOnce)
    if (due.length === 0) break
    yield* Effect.forEach(due, (one) => fireInOrder(one, known), { discard: true })
  }
  return true
})
