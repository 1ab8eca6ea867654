/** The family of models whose windows count for a task; empty where it has no account. */
import { modelFamily } from "../../../domain/limits/Account.ts"
import type { Task } from "../../../domain/task/Task.ts"

export const familyOf = ({ account, model }: Pick<Task, "account" | "model">): string =>
  account === null ? "" : modelFamily(account, model)
