/** How failures reach a model: a stable code, what happened, and what to do next. */
import type { OtherKind } from "../../domain/OtherKind.ts"
import { cutText } from "../../programs/reports/taskState.ts"
import type { InputProblem } from "../fields/Input.ts"
import type { Tool, ToolFailure } from "../Tool.ts"
import { toolWords } from "../toolWords.ts"

/** An id of another kind was given in the place of a task's. */
const nextOfOther = (kind: OtherKind["kind"] | undefined): string => {
  if (kind === undefined) return "TaskStatus without an id shows the newest tasks."
  return kind === "schedule"
    ? "Call again with the id of a task."
    : `Call TaskStatus with this id: it shows the tasks of the ${kind}. Call again with theirs.`
}

/** What a call has done when it fails: nothing, as it only reads or stores all or nothing, or a part that a repeat passes over. */
export type Undone = "reads" | "whole" | "repeatable"

export const undoneOf = ({ annotations: { idempotentHint, readOnlyHint } }: Pick<Tool, "annotations">): Undone => {
  if (readOnlyHint) return "reads"
  return idempotentHint ? "repeatable" : "whole"
}

/** Why a repeat is harmless. A tool that stores all or nothing answers once it has stored, even if it can read nothing after that. */
const harmless: Readonly<Record<Undone, string>> = {
  reads: "",
  whole: " Nothing was started or changed.",
  repeatable: " Part of it may have been done: the same call does only the rest."
}

const nextOfStorage = (isBusy: boolean, undone: Undone): string =>
  `${isBusy ? "Call again." : "Ask the person to run 'beat doctor', then call again."}${harmless[undone]}`

const nextStep = (failure: ToolFailure | InputProblem, undone: Undone): string => {
  switch (failure._tag) {
    case "AgentMissing":
      return "ListAgents shows what is installed. Name another agent, or ask the person to install this one."
    case "AgentUnknown":
      return "ListAgents shows the names."
    case "AmbiguousReference":
      return "Call again with the whole id."
    case "ConfigInvalid":
      return "Correct the value, or ask the person to repair the config file."
    case "DependencyInvalid":
      return "Correct the dependencies and call again. Nothing was stored."
    case "DepthExceeded":
      return "Do this work yourself instead of delegating it."
    case "GoalLimitReached":
      return "Do the rest yourself, or end your turn with what you have."
    case "IdempotencyConflict":
      return "Use the existing task with this key, or call again with another key."
    case "InvalidArguments":
    case "InvalidInput":
      return "Correct the argument and call again."
    case "NoDefaultAgent":
      return "Call again with 'agent'. ListAgents shows the names."
    case "ContestNotFound":
    case "LoopNotFound":
      return "TaskStatus lists the newest tasks."
    case "MergeFailed":
      return "Ask the person to look at the repository."
    case "MergeRefused":
      return "Nothing has changed. Correct what it names and call again, or ask the person."
    case "NotIsolable":
      return "Ask the person, or call again without what needs a workspace: 'isolate', 'loop' or 'times'."
    case "OutsideTask":
      return "Do without it, or tell the person what you need."
    case "PipelineKeyConflict":
      return "Use the existing pipeline with this key, or call again with another key."
    case "PipelineNotFound":
      return "TaskStatus without an id shows the newest tasks; with the id of one, its 'pipelineId'."
    case "PipelineRetryConflict":
      return "Call WaitTasks until the other task has ended."
    case "QuestionNotFound":
      return "Call again with the same question."
    case "TooManyQuestions":
      return "End your turn, or decide without an answer and say so."
    case "WorkerUnavailable":
      return "The task is safe. Ask the person to run 'beat doctor'."
    case "ScheduleNotFound":
      return "Schedules with action 'list' shows the ids."
    case "ScheduleStateConflict":
      return "Schedules with action 'status' shows its current state."
    case "StorageError":
      return nextOfStorage(failure.reason === "busy", undone)
    case "TaskNotFound":
      return nextOfOther(failure.other?.kind)
    case "TaskStateConflict":
      return failure.actual === "queued" || failure.actual === "running"
        ? "Call WaitTasks until it has ended."
        : "TaskStatus shows its current state."
    case "WakeRefused":
      return failure.problem === "limit"
        ? "End your turn when you are done. What still runs then is not waited for."
        : "Correct it and call again, or continue without waiting."
  }
}

/** Characters of what happened: an error may repeat what it was given. */
const longest = 4000

/** `TaskNotFound: No task 'x'. ... Next: TaskStatus without an id shows the newest tasks.` */
export const failureText = (failure: ToolFailure | InputProblem, undone: Undone = "reads"): string =>
  `${failure._tag}: ${cutText(toolWords(failure.message), longest)}\nNext: ${nextStep(failure, undone)}`
