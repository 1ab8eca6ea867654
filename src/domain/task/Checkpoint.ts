/** The checkpoint: what an ended task leaves to the tasks that continue its work. */
import * as Schema from "effect/Schema"
import { EndCause, Millis, TaskId, TerminalStatus, Timestamp, Usage } from "./Task.ts"

/** The position of a repository: branch and commit. */
export const GitHead = Schema.Struct({
  /** Null where no branch is checked out. */
  branch: Schema.NullOr(Schema.String),
  /** Null before the first commit. */
  commit: Schema.NullOr(Schema.String)
}).annotations({ identifier: "GitHead" })
export type GitHead = typeof GitHead.Type

/** The same with what is not committed. */
export const GitState = Schema.Struct({
  ...GitHead.fields,
  /** Files that differ from the commit, as `XY path`: the letters of `git status`. At most 100. */
  dirty: Schema.Array(Schema.String),
  /** How many differ in all. */
  dirtyCount: Schema.Int.pipe(Schema.nonNegative())
}).annotations({ identifier: "GitState" })
export type GitState = typeof GitState.Type

/** Every text in it is cut in its middle where it is too long, so that both ends stay. */
export const Checkpoint = Schema.Struct({
  taskId: TaskId,
  /** Later than the end of the task where no worker was there to take it. */
  takenAt: Timestamp,
  status: TerminalStatus,
  cause: EndCause,
  error: Schema.NullOr(Schema.String),
  /** The agent's final answer, at most 16 kB. */
  answer: Schema.NullOr(Schema.String),
  /** The last lines that `beat logs` shows, at most 16 kB. */
  tail: Schema.String,
  /** From start to end; null when it never started. */
  durationMs: Schema.NullOr(Millis),
  usage: Schema.NullOr(Usage),
  /** The position of the directory's repository when the agent started; null without a repository. */
  before: Schema.NullOr(GitHead),
  /** The same when the checkpoint was taken. */
  after: Schema.NullOr(GitState),
  /** Tasks that ran in the same work tree meanwhile, at most 20: where there are any, the changes are of no one task. */
  alongside: Schema.Array(TaskId),
  /** What has changed between the two, committed or not, as `git diff --stat` shows it; at most 4 kB. */
  diffStat: Schema.NullOr(Schema.String)
}).annotations({ identifier: "Checkpoint" })
export type Checkpoint = typeof Checkpoint.Type
