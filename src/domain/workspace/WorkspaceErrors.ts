/** Errors about workspaces that a caller distinguishes. */
import * as Schema from "effect/Schema"
import { WorkspaceId } from "./WorkspaceId.ts"

/** A directory that no workspace can be cut from. */
export class NotIsolable extends Schema.TaggedError<NotIsolable>()("NotIsolable", {
  directory: Schema.String,
  problem: Schema.Literal("no-repository", "no-commit", "no-git", "old-git", "refused", "no-revision", "bare"),
  /** A revision, a version or what git said. */
  detail: Schema.String,
  /** How the submitter does without a workspace, where that is possible. */
  otherwise: Schema.optional(Schema.String)
}) {
  override get message(): string {
    const where = this.directory
    const otherwise = this.otherwise === undefined ? "" : `, or ${this.otherwise}`
    switch (this.problem) {
      case "no-repository":
        return `${where} is not a git repository, so a task there cannot be isolated: run "git init && git add -A && git commit -m start" first${otherwise}`
      case "no-commit":
        return `The repository in ${where} has no commit yet, so a task there cannot be isolated: run "git add -A && git commit -m start" first${otherwise}`
      case "bare":
        return `The repository in ${where} is bare: it has no files that a task could work on. Use a clone of it`
      case "no-git":
        return `git was not found, and an isolated task needs it: install git 2.38 or newer${otherwise}`
      case "old-git":
        return `An isolated task needs git 2.38 or newer; this is ${this.detail}`
      case "refused":
        return `git refuses the repository in ${where}: ${this.detail}`
      case "no-revision":
        return `The repository in ${where} has no revision '${this.detail}'. Use HEAD, tree, a commit, a branch or the id of a task`
    }
  }
}

/** A step of the work with a workspace failed. */
export class WorkspaceFailed extends Schema.TaggedError<WorkspaceFailed>()("WorkspaceFailed", {
  step: Schema.Literal("cut", "start", "seal", "compare", "reclaim", "restore", "mount"),
  path: Schema.String,
  /** What git or the system said, one line. */
  detail: Schema.String
}) {
  override get message(): string {
    const words = {
      cut: "could not be made",
      start: "could not be set to the commit that its task starts from",
      seal: "could not be sealed",
      compare: "could not be compared",
      reclaim: "could not be reclaimed",
      restore: "could not be restored",
      mount: "could not be mounted over the repository"
    }
    return `The workspace ${this.path} ${words[this.step]}: ${this.detail}`
  }
}

/** No workspace has this reference, or several do. */
export class WorkspaceNotFound extends Schema.TaggedError<WorkspaceNotFound>()("WorkspaceNotFound", {
  reference: Schema.String,
  /** Ids that the reference fits, where it fits several. */
  candidates: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return this.candidates.length > 0
      ? `'${this.reference}' fits several workspaces: ${this.candidates.join(", ")}. Give more characters.`
      : `No workspace '${this.reference}'. 'beat workspace list' shows the ids.`
  }
}

/** A workspace that a step would take away while it is needed. */
export class WorkspaceBusy extends Schema.TaggedError<WorkspaceBusy>()("WorkspaceBusy", {
  id: WorkspaceId,
  /** After "because". */
  reason: Schema.String
}) {
  override get message(): string {
    return `Workspace ${this.id} stays, because ${this.reason}.`
  }
}
