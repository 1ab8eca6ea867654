/** How failures reach a model: a stable code, what happened, and what to do next. */
import type { InputProblem } from "../fields/Input.ts"
import type { ToolFailure } from "../Tool.ts"

const nextStep = (failure: ToolFailure | InputProblem): string => {
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
    case "IdempotencyConflict":
      return "Use the existing task with this key, or call again with another key."
    case "InvalidArguments":
    case "InvalidInput":
      return "Correct the argument and call again."
    case "NoDefaultAgent":
      return "Call again with 'agent', or choose a default with ConfigureAgent."
    case "PipelineKeyConflict":
      return "Use the existing pipeline with this key, or call again with another key."
    case "PipelineNotFound":
      return "ListPipelines shows the ids."
    case "PipelineRetryConflict":
      return "Call WaitTasks until the other task has ended."
    case "WorkerUnavailable":
      return "The task is safe. Ask the person to run 'beat doctor'."
    case "ScheduleNotFound":
      return "ListSchedules shows the ids."
    case "ScheduleStateConflict":
      return "ScheduleStatus shows its current state."
    case "StorageError":
      return failure.reason === "busy" ? "Call again." : "Ask the person to run 'beat doctor'."
    case "TaskNotFound":
      return "ListTasks shows the ids."
    case "TaskStateConflict":
      return failure.actual === "queued" || failure.actual === "running"
        ? "Call WaitTasks until it has ended."
        : "TaskStatus shows its current state."
  }
}

/** `TaskNotFound: No task 'x'. ... Next: ListTasks shows the ids.` */
export const failureText = (failure: ToolFailure | InputProblem): string =>
  `${failure._tag}: ${failure.message}\nNext: ${nextStep(failure)}`
