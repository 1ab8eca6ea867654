/** Judges a step or a judge of a loop by its answer rule, before its end is stored: an answer that breaks the rule fails the task. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type AnswerRule, type AnswerVerdict, cutReason, jsonIn, verdictOf } from "../../domain/pipeline/AnswerRule.ts"
import type { Outcome } from "../../domain/task/Outcome.ts"
import type { Task } from "../../domain/task/Task.ts"
import { Loops } from "../../services/Loops.ts"
import { Pipelines } from "../../services/Pipelines.ts"
import { retryWhileStorageFails } from "../retryWhileStorageFails.ts"

// Only steps with a schema load the library.
const load = Effect.promise(() => import("@cfworker/json-schema"))

/** Whether a value matches a schema; a schema that cannot be used allows nothing. */
const allows = Effect.fn("answerAllows.schema")(function* (schema: string, value: unknown) {
  const { Validator } = yield* load
  return yield* Effect.try((): AnswerVerdict => {
    const { errors, valid } = new Validator(JSON.parse(schema), "2020-12", false).validate(value)
    if (valid) return { says: "yes" }
    // The first errors only say that something inside does not fit.
    const inner = errors.filter(({ error }) => !error.includes("does not match schema")).slice(0, 3)
    const told = (inner.length > 0 ? inner : errors.slice(0, 3)).map(
      ({ error, instanceLocation }) => `${instanceLocation.replace(/^#/, "") || "/"}: ${error.replace(/\.$/, "")}`
    )
    return { says: "no", reason: cutReason(`Its answer does not match the schema. ${told.join(". ")}`) }
  }).pipe(
    Effect.catchAll(({ message }) =>
      Effect.succeed<AnswerVerdict>({
        says: "no",
        reason: cutReason(`The schema of its gate cannot be used: ${message}`)
      })
    )
  )
})

const judgeAnswer = Effect.fn("judgeAnswer")(function* (rule: AnswerRule, answer: string | null) {
  if (rule === "verdict") return verdictOf(answer)
  const found = jsonIn(answer)
  if (found === null) return { says: "unclear", reason: "Its answer is not a JSON value." } satisfies AnswerVerdict
  return yield* allows(rule.schema, found.value)
})

/** The rule for the answer of a task, where it is a step that has one, or the judge of a round. */
const ruleOf = Effect.fn("answerAllows.rule")(function* (task: Task) {
  if (task.pipelineId !== null) {
    const pipelines = yield* Pipelines
    return yield* retryWhileStorageFails(pipelines.answerRule(task.id))
  }
  // Every round of a loop works in a workspace.
  if (task.workspaceId === null) return Option.none()
  const loops = yield* Loops
  const place = yield* retryWhileStorageFails(loops.roundOf(task.id))
  return Option.map(
    Option.filter(place, ({ role }) => role === "judge"),
    (): AnswerRule => "verdict"
  )
})

/** The outcome, unless the task has a rule that its answer does not meet. */
export const answerAllows = Effect.fn("answerAllows")(function* (task: Task, found: Outcome) {
  if (found.status !== "completed") return found
  const rule = yield* ruleOf(task)
  if (Option.isNone(rule)) return found
  const verdict = yield* judgeAnswer(rule.value, found.answer)
  if (verdict.says === "yes") return found
  const failed: Outcome = {
    ...found,
    status: "failed",
    cause: verdict.says === "no" ? "rejected" : "agent-error",
    error: verdict.reason,
    failureClass: null
  }
  return failed
})
