/** Why a task was cancelled that waited for another one: the sentence in its error. */
import type { DependencyPolicy, Task } from "./Task.ts"

/** The parts that do not depend on the tasks. `through`: its own dependency was cancelled for the same reason. */
export const phrases = {
  failure: "did not fail, and this task was only for that case.",
  through: ", and this task depends on it through others.",
  success: ", and this task was to start after its success.",
  again: "To run it all the same: beat retry"
}

/** Characters of the reason for which the answer of a step was rejected. */
export const reasonLength = 300

type Root = Pick<Task, "id" | "status" | "cause" | "error">

/** `root` is the task whose end decided it; `policy` what was asked of it, null where the task depends on it through others. */
export const unmetBecause = (root: Root, policy: DependencyPolicy | null, id: string): string => {
  const { cause, error, status } = root
  const reason = cause === "rejected" ? `: ${(error ?? "").slice(0, reasonLength)}` : ""
  const ended = cause === null ? "ended" : `${status} (${cause}${reason})`
  const why = policy === "failure" ? phrases.failure : `${ended}${policy === null ? phrases.through : phrases.success}`
  return `Task ${root.id} ${why} ${phrases.again} ${id}`
}
