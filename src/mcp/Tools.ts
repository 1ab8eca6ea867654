/** All tools, in the order that clients see. The order is fixed, so that the model's prompt cache stays valid. */
import type { Tool } from "./Tool.ts"
import { askPerson } from "./tools/AskPerson.ts"
import { cancelPipeline } from "./tools/CancelPipeline.ts"
import { cancelSchedule } from "./tools/CancelSchedule.ts"
import { cancelTask } from "./tools/CancelTask.ts"
import { configureAgent } from "./tools/ConfigureAgent.ts"
import { createPipeline } from "./tools/CreatePipeline.ts"
import { delegateTask } from "./tools/DelegateTask.ts"
import { editTask } from "./tools/EditTask.ts"
import { limitsTool } from "./tools/Limits.ts"
import { listAgents } from "./tools/ListAgents.ts"
import { listPipelines } from "./tools/ListPipelines.ts"
import { listSchedules } from "./tools/ListSchedules.ts"
import { listTasks } from "./tools/ListTasks.ts"
import { mergeTask } from "./tools/MergeTask.ts"
import { pauseSchedule } from "./tools/PauseSchedule.ts"
import { pipelineStatus } from "./tools/PipelineStatus.ts"
import { resumeSchedule } from "./tools/ResumeSchedule.ts"
import { resumeTask } from "./tools/ResumeTask.ts"
import { retryTask } from "./tools/RetryTask.ts"
import { schedulePipeline } from "./tools/SchedulePipeline.ts"
import { scheduleStatus } from "./tools/ScheduleStatus.ts"
import { schedulesTool } from "./tools/Schedules.ts"
import { scheduleTask } from "./tools/ScheduleTask.ts"
import { taskDiff } from "./tools/TaskDiff.ts"
import { taskLogs } from "./tools/TaskLogs.ts"
import { taskResult } from "./tools/TaskResult.ts"
import { taskStatus } from "./tools/TaskStatus.ts"
import { usageTool } from "./tools/Usage.ts"
import { waitTasks } from "./tools/WaitTasks.ts"
import { wakeMe } from "./tools/WakeMe.ts"

/** What a client is shown unless it asks for all: few tools, each with the whole of its arguments. */
export const coreTools: ReadonlyArray<Tool> = [
  delegateTask,
  waitTasks,
  taskStatus,
  taskResult,
  taskLogs,
  taskDiff,
  mergeTask,
  cancelTask,
  retryTask,
  editTask,
  schedulesTool,
  listAgents
]

/** What an agent inside a task is shown: it may change no schedules and seldom edits, and it may ask a person and be woken. */
export const insideTools: ReadonlyArray<Tool> = [
  ...coreTools.filter((tool) => tool !== editTask).map((tool) => (tool === schedulesTool ? askPerson : tool)),
  wakeMe
]

/** Answered whether they are shown or not. */
export const tools: ReadonlyArray<Tool> = [
  ...coreTools,
  wakeMe,
  listTasks,
  resumeTask,
  createPipeline,
  pipelineStatus,
  listPipelines,
  cancelPipeline,
  scheduleTask,
  schedulePipeline,
  listSchedules,
  scheduleStatus,
  pauseSchedule,
  resumeSchedule,
  cancelSchedule,
  configureAgent,
  askPerson,
  limitsTool,
  usageTool
]
