/** Which task a process runs in: told by the processes above it, for a variable can be dropped, emptied or replaced on the way. */
import { readFileSync } from "node:fs"
import * as Schema from "effect/Schema"
import { TaskId } from "../../../domain/task/Task.ts"

/** A process as its environment and its command line tell it; both are null where they cannot be read. */
export interface ProcessAbove {
  readonly environ: string | null
  /** Arguments, each ended by a zero byte. */
  readonly command: () => string | null
}

/** The marks of a task, by the names of their variables. */
export interface TaskMarks {
  readonly BACKBEAT_TASK_ID: string
  readonly BACKBEAT_DEPTH: string
}

/** Processes between an agent and what it starts: shells, package runners, the agent's own helpers. */
const mostAncestors = 40

const isTaskId = Schema.is(TaskId)

const markOf = (environ: string, name: string): string | undefined =>
  new RegExp(`(?:^|\0)${name}=([^\0]*)`).exec(environ)?.[1]

/** The shim gives each agent its marks. It begins as `Shim.ts` has it, whatever its agent sets afterwards. */
const isShim = (command: string | null) =>
  command !== null && /^[^\0]*\0(?:--posix\0)?-c\0set \+aefuvxC\nunset -f command/.test(command)

/** A detached worker: a variable alone makes none. */
const isWorker = ({ command, environ }: ProcessAbove) =>
  environ !== null && markOf(environ, "BACKBEAT_WORKER") === "1" && /\0worker\0--on-demand\0/.test(command() ?? "")

/**
 * The nearest shim tells the task. Where there is none, as after its death, the topmost process with a mark does: what an agent
 * sets reaches only the processes below it. A detached worker belongs to no task, whatever started it. Null: the variables of
 * the process itself decide.
 */
export const marksFrom = (above: Iterable<ProcessAbove>): TaskMarks | null => {
  let marks: TaskMarks | null = null
  for (const one of above) {
    if (one.environ === null) continue
    const id = markOf(one.environ, "BACKBEAT_TASK_ID")
    if (isTaskId(id)) {
      marks = { BACKBEAT_TASK_ID: id, BACKBEAT_DEPTH: markOf(one.environ, "BACKBEAT_DEPTH") ?? "0" }
      if (isShim(one.command())) break
    } else if (isWorker(one)) break
  }
  return marks
}

const read = (path: string): string | null => {
  try {
    return readFileSync(path, "latin1")
  } catch {
    // Another user's process, or one that has just ended.
    return null
  }
}

/** Linux alone tells the environment of a process. */
function* processesAbove(): Iterable<ProcessAbove> {
  if (process.platform !== "linux") return
  let pid = process.ppid
  for (let level = 0; pid > 1 && level < mostAncestors; level += 1) {
    const at = `/proc/${pid}`
    yield { environ: read(`${at}/environ`), command: () => read(`${at}/cmdline`) }
    // Fields of /proc/PID/stat count from the last ")": the parent is the second.
    const stat = read(`${at}/stat`)
    if (stat === null) return
    pid = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1])
  }
}

/** The marks of this process, where the processes above it tell any. A worker has none. */
export const marksAbove = (): TaskMarks | null => {
  const isOwnWorker = process.env.BACKBEAT_WORKER === "1" && process.argv[2] === "worker"
  return isOwnWorker ? null : marksFrom(processesAbove())
}
