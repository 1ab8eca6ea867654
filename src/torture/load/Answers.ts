/** Clients that know a task's id: they use it immediately, cancel the task later or watch it, and note each answer. */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import { processesOf } from "../faults/SystemProcesses.ts"
import { attemptsOf, ended } from "../Store.ts"
import { editLater, resubmitLater } from "./Changes.ts"
import { type Load, runCommand } from "./Load.ts"
import { sayLater } from "./Messages.ts"
import type { TaskPlan } from "./TaskPlan.ts"

/** What follows from an answer: the task must be there from this moment on. */
export const accept = (load: Load, plan: TaskPlan, id: string, by: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    const { chronicle } = load.world
    chronicle.note(plan.key, `accepted as ${id} by ${by}`)
    const before = chronicle.accepted.get(plan.key)
    if (before !== undefined && before !== id) {
      chronicle.breach("one key, one task", id, `key ${plan.key} was ${before} before`)
    }
    chronicle.accepted.set(plan.key, id)
    if (load.store.task(id) === undefined) {
      chronicle.breach("an answer comes after the commit", id, `${by} told the id of ${plan.key}, which is not stored`)
    }
    if (plan.cancel !== null) yield* FiberSet.run(load.fibers, cancelLater(load, plan, plan.cancel, id))
    if (plan.edit !== null) yield* FiberSet.run(load.fibers, editLater(load, plan, plan.edit, id))
    if (plan.again !== null) yield* FiberSet.run(load.fibers, resubmitLater(load, plan, plan.again, id))
    if (plan.messages.length > 0) yield* FiberSet.run(load.fibers, sayLater(load, plan, id))
    if (plan.watch !== null) yield* FiberSet.run(load.fibers, watch(load, plan.watch, id))
  })

const cancelLater = (load: Load, plan: TaskPlan, cancel: NonNullable<TaskPlan["cancel"]>, id: string) =>
  Effect.gen(function* () {
    const { chronicle } = load.world
    yield* Effect.sleep(cancel.afterMs)
    if (plan.via === "mcp" && load.server?.alive === true && cancel.trouble === null) {
      const { server } = load
      chronicle.hurt(id, "cancel")
      const answer = yield* Effect.promise(() => server.call("CancelTask", { ids: [id] }).catch(() => null))
      if (answer !== null && answer.isError !== true) cancelled(load, id, "CancelTask")
      return
    }
    chronicle.hurt(id, "cancel")
    const finished = yield* runCommand(load, ["cancel", id], cancel.trouble)
    if (finished.code !== null) chronicle.note(id, `beat cancel: exit ${finished.code}`)
    if (finished.code === 0) cancelled(load, id, "beat cancel")
  })

/** A client may rely on the answer that a task is cancelled: the task has ended, and so have its processes. */
const cancelled = (load: Load, id: string, by: string): void => {
  const { chronicle } = load.world
  const attempts = attemptsOf(load.store, id)
  const open = attempts.find((row) => !ended(row))
  if (open !== undefined) {
    chronicle.breach("an answer comes after the commit", open.id, `${by} returned while the task was ${open.status}`)
  }
  const left = processesOf(load.world.root).filter(({ task }) => attempts.some((row) => row.id === task))
  if (left.length > 0) {
    const named = left.map(({ command, pid }) => `${pid} ${command}`).join("; ")
    chronicle.breach("cancelled means gone", id, `${by} returned while there was ${named}`)
  }
}

const watch = (load: Load, { by, trouble }: NonNullable<TaskPlan["watch"]>, id: string) =>
  Effect.gen(function* () {
    const args = by === "wait" ? ["wait", id] : ["logs", "-f", "--raw", id]
    const { code, stderr, stdout } = yield* runCommand(load, args, trouble)
    if (code === null) return
    load.world.chronicle.note(id, `beat ${by}: exit ${code} ${stderr.trim().slice(0, 200)}`)
    load.world.chronicle.answers.push({ task: id, by, code, stdout })
  })
