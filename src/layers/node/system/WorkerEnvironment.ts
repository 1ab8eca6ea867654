/** The environments of what Backbeat starts: agents with their marks, workers without those of a surrounding task. */
import type { Environment } from "../../../domain/task/NewTask.ts"
import type { Task } from "../../../domain/task/Task.ts"
import { withoutPlace } from "../../agents/starting/EnvironmentCapture.ts"

type Variables = Readonly<Record<string, string | undefined>>

/** The agent's environment: as captured, plus where it runs and which task it belongs to. */
export const agentEnvironment = (
  captured: Environment,
  task: Pick<Task, "id" | "depth" | "directory">,
  traceparent: string
) => {
  // A task that carried the mark of a worker would never be ended. The others are switches of Backbeat's own tests.
  const { BACKBEAT_WORKER: _, BACKBEAT_BOOT_ID: __, BACKBEAT_FAILPOINTS: ___, ...environment } = captured
  return {
    ...environment,
    PWD: task.directory,
    BACKBEAT_TASK_ID: task.id,
    BACKBEAT_DEPTH: String(task.depth),
    TRACEPARENT: traceparent
  }
}

/** The environment of a detached worker: this process's own, marked so that it is not taken for a task's. */
export const workerEnvironment = (own: Variables): Record<string, string> => {
  const given = Object.fromEntries(
    Object.entries(own).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  )
  // A pretended boot id is for all of Backbeat's own processes.
  const boot = own.BACKBEAT_BOOT_ID === undefined ? {} : { BACKBEAT_BOOT_ID: own.BACKBEAT_BOOT_ID }
  return { BACKBEAT_WORKER: "1", ...withoutPlace(given), ...boot }
}

const carriedOver = new Set(
  "HOME USER LOGNAME SHELL PATH LANG LC_ALL LC_CTYPE TMPDIR TZ XDG_STATE_HOME XDG_CONFIG_HOME".split(" ")
)

/** Settings may hold keys some day; nothing that sounds like one may get into `ps`. */
const soundsSecret = /KEY|TOKEN|SECRET|PASS|CREDENTIAL/i

/**
 * The command by which a shim calls for a worker. The shim lives in the task's environment, where another BACKBEAT_HOME
 * or limit may be set, so the variables that decide which store and which settings are named, and nothing else is kept.
 */
export const successorCommand = (own: Variables, beat: ReadonlyArray<string>): ReadonlyArray<string> => [
  "env",
  "-i",
  ...Object.entries(workerEnvironment(own)).flatMap(([name, value]) =>
    (carriedOver.has(name) || name.startsWith("BACKBEAT_")) && !soundsSecret.test(name) ? [`${name}=${value}`] : []
  ),
  ...beat,
  "worker",
  "--on-demand",
  "--detach"
]

/** Where the shim finds its own tools, whatever the task's PATH is. */
export const toolPath = (own: Variables): string =>
  ["/usr/bin", "/bin", "/usr/sbin", "/sbin", ...(own.PATH === undefined ? [] : [own.PATH])].join(":")
