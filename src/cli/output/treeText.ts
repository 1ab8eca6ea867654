/** A tree of tasks as lines: which task delegated which, their states, and their cost. */
import { isAsking } from "../../domain/task/isAsking.ts"
import { dollars } from "../../domain/usage/dollars.ts"
import type { TaskTree, TreeTask } from "../../programs/reports/TaskTree.ts"
import { shortSpan } from "../../text/FormatDuration.ts"
import { stylesOf } from "../framework/Style.ts"
import type { Screen } from "../framework/Terminal.ts"
import { type Column, table } from "./Layout.ts"
import { loopEnding } from "./LoopTable.ts"
import { plain, statusStyle } from "./TaskTable.ts"

const columns: ReadonlyArray<Column> = [
  { title: "TASK" },
  { title: "STATUS" },
  { title: "AGENT", dropAt: 3, shrinkTo: 6 },
  { title: "TOOK", align: "right", dropAt: 1 },
  { title: "COST", align: "right", dropAt: 0 },
  { title: "NOTE", dropAt: 2, shrinkTo: 6 },
  { title: "PROMPT", shrinkTo: 8 }
]

/** Whether another task of the same level follows below the same parent. */
const hasNext = (tasks: ReadonlyArray<TreeTask>, at: number): boolean => {
  const level = tasks[at]?.level ?? 0
  for (const next of tasks.slice(at + 1)) {
    if (next.level < level) return false
    if (next.level === level) return true
  }
  return false
}

const branchesOf = (tasks: ReadonlyArray<TreeTask>): ReadonlyArray<string> => {
  /** By level, whether a line runs on past this task. */
  const open: Array<boolean> = []
  return tasks.map(({ level }, at) => {
    const next = hasNext(tasks, at)
    const before = Array.from({ length: Math.max(0, level - 1) }, (_, above) => (open[above + 1] ? "│ " : "  ")).join(
      ""
    )
    open[level] = next
    return level === 0 ? "" : `${before}${next ? "├ " : "└ "}`
  })
}

const noteOf = ({ asks, cause, parkedAt, retriedBy, round, status, waitingOn, wakes }: TreeTask): string =>
  [
    isAsking({ asks, status }) ? "needs input" : "",
    round === null ? "" : `round ${round}`,
    retriedBy === null ? "" : "tried again",
    status === "queued" && waitingOn > 0 ? `waits for ${waitingOn}` : "",
    status === "queued" && parkedAt !== null && asks === 0 ? "parked" : "",
    status === "failed" && cause !== null && cause !== "exit" ? cause : "",
    wakes === 0 ? "" : wakes === 1 ? "1 wake" : `${wakes} wakes`
  ]
    .filter((part) => part !== "")
    .join(", ")

const headOf = ({ loop, total }: TaskTree, screen: Screen): string => {
  const counted = `${total.tasks === 1 ? "1 task" : `${total.tasks} tasks`}, ${total.open} open, ${dollars(total.costUsd)}`
  if (loop === null) return counted
  const { goal } = loop
  const bounds =
    goal === null
      ? ""
      : `, ${goal.tasks} of ${goal.maxTasks} delegated${goal.budgetUsd === null ? "" : `, ${dollars(loop.spentUsd)} of ${dollars(goal.budgetUsd)} by ended rounds`}`
  return `${goal === null ? "loop" : "goal"} ${loop.id} ${loopEnding(loop, screen)}, round ${loop.round} of ${loop.maxRounds}: ${counted}${bounds}`
}

export const treeText = (tree: TaskTree, now: number, screen: Screen): ReadonlyArray<string> => {
  const { bold, dim } = stylesOf(screen)
  const branches = branchesOf(tree.tasks)
  return [
    headOf(tree, screen),
    "",
    ...table(
      columns,
      tree.tasks.map((task, at) => [
        { text: `${branches[at] ?? ""}${task.id}`, style: bold },
        { text: isAsking(task) ? "asks" : task.status, style: statusStyle(task.status, screen) },
        { text: plain(task.agent) },
        { text: task.startedAt === null ? "" : shortSpan((task.endedAt ?? now) - task.startedAt) },
        { text: task.costUsd === null ? "-" : dollars(task.costUsd) },
        { text: noteOf(task), style: dim },
        { text: plain(task.title) }
      ]),
      screen.columns,
      dim
    )
  ]
}
