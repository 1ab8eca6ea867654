/** What a person reads of an isolated task's workspace, and of what it left there. */
import type { TaskReport } from "../../programs/reports/taskReport.ts"
import { plain } from "./TaskTable.ts"

/** Where it works, and what keeps the agent from the files of the user. */
export const workspaceWords = ({ workspace }: TaskReport): string | null => {
  if (workspace === null) return null
  const slot = workspace.slot === null ? "" : `, slot ${workspace.slot}`
  const where =
    workspace.state === "planned"
      ? ", made when the task starts"
      : workspace.state === "trashed" || workspace.state === "gone"
        ? `, reclaimed: beat workspace restore ${workspace.id}`
        : workspace.mounted === true
          ? `, mounted over ${workspace.home} for the agent`
          : workspace.mounted === false
            ? ", the agent can also write to the repository by its path"
            : ""
  return plain(`${workspace.path}${slot}, from ${workspace.base.slice(0, 12)}${where}`)
}

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`

export const resultWords = ({ result }: TaskReport): string | null => {
  if (result === null) return null
  const commits = result.commits === 0 ? "" : `, ${counted(result.commits, "commit")} of the agent`
  const where = result.home ? "not complete" : "not in the repository yet"
  const home = result.home && result.problem === null ? "" : `; ${where}: ${result.problem ?? "unknown"}`
  const next = result.files === 0 ? "" : `\nbeat diff ${result.taskId}, beat merge ${result.taskId}`
  const size = `${counted(result.files, "file")}, +${result.insertions} -${result.deletions}${commits}`
  return plain(`${size}, ${result.commit.slice(0, 12)}${home}`) + next
}

/** What keeps the work out of a commit: a task that completed may have left what could not be sealed. */
export const unsealedWords = ({ result, workspace }: TaskReport): string | null =>
  result !== null || workspace === null || workspace.problem === null ? null : plain(workspace.problem)

export const nestedWords = ({ result }: TaskReport): string | null =>
  result === null || result.nested.length === 0
    ? null
    : plain(`repositories that are in no commit: ${result.nested.join(", ")}`)
