/** All tools, in the order that clients see. The order is fixed, so that the model's prompt cache stays valid. */
import type { Tool } from "./Tool.ts"
import { cancelPipeline } from "./tools/CancelPipeline.ts"
import { cancelSchedule } from "./tools/CancelSchedule.ts"
import { cancelTask } from "./tools/CancelTask.ts"
import { configureAgent } from "./tools/ConfigureAgent.ts"
import { createPipeline } from "./tools/CreatePipeline.ts"
import { delegateTask } from "./tools/DelegateTask.ts"
import { editTask } from "./tools/EditTask.ts"
import { listAgents } from "./tools/ListAgents.ts"
import { listPipelines } from "./tools/ListPipelines.ts"
import { listSchedules } from "./tools/ListSchedules.ts"
import { listTasks } from "./tools/ListTasks.ts"
import { pauseSchedule } from "./tools/PauseSchedule.ts"
import { pipelineStatus } from "./tools/PipelineStatus.ts"
import { resumeSchedule } from "./tools/ResumeSchedule.ts"
import { resumeTask } from "./tools/ResumeTask.ts"
import { retryTask } from "./tools/RetryTask.ts"
import { schedulePipeline } from "./tools/SchedulePipeline.ts"
import { scheduleStatus } from "./tools/ScheduleStatus.ts"
import { scheduleTask } from "./tools/ScheduleTask.ts"
import { taskLogs } from "./tools/TaskLogs.ts"
import { taskResult } from "./tools/TaskResult.ts"
import { taskStatus } from "./tools/TaskStatus.ts"
import { waitTasks } from "./tools/WaitTasks.ts"

export const tools: ReadonlyArray<Tool> = [
  delegateTask,
  waitTasks,
  taskStatus,
  listTasks,
  taskLogs,
  taskResult,
  cancelTask,
  editTask,
  retryTask,
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
  listAgents,
  configureAgent
]
