/** Holds edits against what is stored and what ran: whole or not at all, as answered, and never once the work has begun. */
import type { ChangeOutcome } from "../Chronicle.ts"
import { wordsOf } from "../load/Script.ts"
import { edited, type TaskPlan } from "../load/TaskPlan.ts"
import type { TaskRow } from "../Store.ts"

/** A task of one submission, with what is stored about it outside its row. */
export interface Stored {
  readonly row: Pick<TaskRow, "id" | "retry_of" | "priority" | "labels">
  /** The words in its prompt. */
  readonly words: string | null
  /** Whether it is found by the label that an edit sets. */
  readonly labelled: boolean
}

type Report = (task: string, detail: string) => void

export const editInvariant = "an edit is whole, and what runs"

/** What its agent was to do: as planned, or as the edit wanted it; null for anything else. */
export const versionOf = (plan: TaskPlan, words: string | null): TaskPlan | null => {
  if (words === wordsOf(plan)) return plan
  const after = plan.edit === null ? null : edited(plan, plan.edit)
  return after !== null && words === wordsOf(after) ? after : null
}

const hasLabel = (labels: string): boolean => {
  const parsed: unknown = JSON.parse(labels)
  return typeof parsed === "object" && parsed !== null && "edited" in parsed
}

/** `tasks` are all of one submission; a task that continues another one has the same fields. */
export const checkEdit = (
  plan: TaskPlan,
  told: ChangeOutcome | undefined,
  tasks: ReadonlyArray<Stored>,
  report: Report
): void => {
  const isEdited = (id: string | null): boolean => {
    const found = tasks.find(({ row }) => row.id === id)
    return found !== undefined && found.words !== wordsOf(plan)
  }
  const turned: Array<string> = []
  for (const { labelled, row, words } of tasks) {
    const version = versionOf(plan, words)
    if (version === null) {
      report(row.id, `its prompt is '${words}', which no request asked for`)
      continue
    }
    const wanted = version !== plan
    if (row.priority !== version.priority || hasLabel(row.labels) !== wanted || labelled !== wanted) {
      const parts = `priority ${row.priority}, labels ${row.labels}, ${labelled ? "" : "not "}found by the new label`
      report(row.id, `its prompt is ${wanted ? "the edited" : "the first"} one, and the rest is not: ${parts}`)
    }
    if (isEdited(row.id) === isEdited(row.retry_of)) continue
    if (wanted) turned.push(row.id)
    else report(row.id, `it takes up ${row.retry_of}, which was edited, and is not as edited`)
  }
  if (told?.outcome === "done") {
    if (turned.length !== 1 || turned[0] !== told.id) {
      report(told.id ?? plan.key, `the edit of ${told.id} was confirmed; edited is ${turned.join(", ") || "nothing"}`)
    }
  } else if (turned.length > (told?.outcome === "unsure" ? 1 : 0)) {
    report(
      turned[0] ?? plan.key,
      `${turned.join(", ")} changed, and the edit was ${told?.outcome ?? "never asked for"}`
    )
  }
}
