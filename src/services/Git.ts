/** What git knows of a directory. Looks only: nothing is locked, fetched, asked for or changed. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { GitHead, GitState } from "../domain/task/Checkpoint.ts"

/** Null, after a few seconds at most: no repository, no git, or one that did not answer. */
export class Git extends Context.Tag("backbeat/Git")<
  Git,
  {
    /** The root of the work tree that the directory is in, else the directory; without links. */
    readonly workTree: (directory: string) => Effect.Effect<string>
    /** The branch and commit that are checked out. Costs milliseconds, however large the repository is. */
    readonly head: (directory: string) => Effect.Effect<GitHead | null>
    /** The same with the files that differ from the commit. */
    readonly state: (directory: string) => Effect.Effect<GitState | null>
    /** The files that differ from that commit, with counts of lines, at most 50 files; untracked ones are not among them. */
    readonly diffStat: (directory: string, since: GitHead) => Effect.Effect<string | null>
  }
>() {}
