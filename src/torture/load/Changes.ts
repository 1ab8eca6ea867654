/** Clients that edit tasks before their start, and that retry or resume tasks after their end. */
import * as Effect from "effect/Effect"
import type { ChangeOutcome } from "../Chronicle.ts"
import { attemptsOf, ended } from "../Store.ts"
import { type Load, runCommand } from "./Load.ts"
import { idsOf } from "./McpClient.ts"
import { isClaude, promptOf, wordsIn } from "./Script.ts"
import { type EditPlan, edited, type ResubmitPlan, type TaskPlan, type Trouble } from "./TaskPlan.ts"

/** One request, by a tool of a server or by a command. */
interface Request {
  readonly tool: string
  readonly given: object
  readonly args: ReadonlyArray<string>
}

interface Heard extends ChangeOutcome {
  readonly said: string
}

const ask = (load: Load, plan: TaskPlan, trouble: Trouble, { args, given, tool }: Request): Effect.Effect<Heard> =>
  Effect.gen(function* () {
    const { server } = load
    if (plan.via === "mcp" && trouble === null && server?.alive === true) {
      const answer = yield* Effect.promise(() => server.call(tool, given).catch(String))
      if (answer === null) return { outcome: "unsure", id: null, said: `${tool}: no answer` }
      const refused = typeof answer === "string" || answer.isError === true
      const said = typeof answer === "string" ? answer : (answer.content?.[0]?.text ?? "")
      if (refused) return { outcome: "refused", id: null, said: `${tool}: ${said}` }
      return { outcome: "done", id: idsOf(answer.structuredContent)[0] ?? null, said: tool }
    }
    const { code, signal, stderr, stdout } = yield* runCommand(load, args, trouble)
    const said = `beat ${args[0]}: exit ${code ?? signal} ${stderr.trim().slice(0, 300)}`
    if (code === null) return { outcome: "unsure", id: null, said }
    return code === 0 ? { outcome: "done", id: stdout.toString().trim(), said } : { outcome: "refused", id: null, said }
  })

const promptIn = (load: Load, id: string): string =>
  load.store.one<{ prompt: string }>("SELECT prompt FROM task_inputs WHERE task_id = ?", id)?.prompt ?? ""

/** Edits a task that may be waiting, starting, running or over by then. */
export const editLater = (load: Load, plan: TaskPlan, edit: EditPlan, id: string) =>
  Effect.gen(function* () {
    const { chronicle, root } = load.world
    yield* Effect.sleep(edit.afterMs)
    const { priority, ...after } = edited(plan, edit)
    const prompt = promptOf({ ...after, priority }, root)
    chronicle.note(id, "to be edited")
    const { said, ...told } = yield* ask(load, plan, edit.trouble, {
      tool: "EditTask",
      given: { id, prompt, priority, labels: { torture: plan.key, edited: "yes" } },
      args: ["edit", id, "--prompt", prompt, "-p", priority, "--label", "edited=yes"]
    })
    chronicle.edits.set(plan.key, told)
    chronicle.note(told.id ?? id, `edit ${told.outcome}: ${said}`)
    if (told.id !== null && promptIn(load, told.id) !== prompt) {
      chronicle.breach(
        "an answer comes after the commit",
        told.id,
        "it is said to be edited, and its prompt is another"
      )
    }
  })

/** Takes up the work of a task by hand, after its end. */
export const resubmitLater = (load: Load, plan: TaskPlan, { how, trouble }: ResubmitPlan, id: string) =>
  Effect.gen(function* () {
    const { chronicle } = load.world
    while (!load.over && attemptsOf(load.store, id).some((row) => !ended(row))) yield* Effect.sleep(200)
    if (load.over) return
    // In its session an agent gets only this context; a fresh start gets the original prompt.
    const context = how === "resume" && isClaude(plan.behaviour) ? wordsIn(promptIn(load, id)) : null
    chronicle.note(id, `to be taken up: ${how}`)
    const { said, ...told } = yield* ask(load, plan, trouble, {
      tool: how === "retry" ? "RetryTask" : "ResumeTask",
      given: { id, ...(how === "fresh" ? { fresh: true } : {}), ...(context === null ? {} : { context }) },
      args: [
        how === "retry" ? "retry" : "resume",
        id,
        ...(how === "fresh" ? ["--fresh"] : []),
        ...(context === null ? [] : ["--context", context])
      ]
    })
    chronicle.resubmits.set(plan.key, told)
    chronicle.note(id, `${how} ${told.outcome}: ${told.id ?? ""} ${said}`)
    if (told.id !== null && load.store.task(told.id) === undefined) {
      chronicle.breach("an answer comes after the commit", told.id, `${how} told its id, and it is not stored`)
    }
    if (told.outcome === "refused" && !/locked|busy/i.test(said)) {
      chronicle.breach("a task is accepted", id, said)
    }
  })
