/** The options of commands that list something: which tasks, and which page. */
import * as Options from "@effect/cli/Options"
import { TaskStatus } from "../../domain/task/Task.ts"
import { choices, count, optionalText, pairs } from "./Values.ts"

export const taskFilterOptions = {
  status: choices("status", "s", TaskStatus.literals).pipe(
    Options.withDescription("Show only tasks with this status; repeatable")
  ),
  agent: optionalText("agent", "name").pipe(
    Options.withAlias("a"),
    Options.withDescription("Show only tasks of this agent")
  ),
  label: pairs("label").pipe(
    Options.withAlias("l"),
    Options.withDescription("Show only tasks that have all of these labels")
  ),
  directory: optionalText("directory", "path").pipe(
    Options.withAlias("C"),
    Options.withDescription("Show only tasks in this working directory")
  )
}

export const pageOptions = {
  limit: count("limit", 1, 1000).pipe(
    Options.withAlias("n"),
    Options.withDefault(20),
    Options.withDescription("Show this many, at most 1000 (default: 20)")
  ),
  before: count("before", 0, Number.MAX_SAFE_INTEGER).pipe(
    Options.withDefault(null),
    Options.withDescription("Show the next page, from the number at the end of the previous page")
  )
}
