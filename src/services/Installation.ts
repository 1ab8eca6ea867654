/** What an installation consists of besides the database: files, their permissions, the disk, Node. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

interface FileFacts {
  readonly kind: "file" | "directory" | "other" | "missing"
  /** Permission bits, `0o600` for instance; null where there is nothing. */
  readonly mode: number | null
  /** Where it is missing: whether it can be made. */
  readonly writable: boolean
}

export class Installation extends Context.Tag("backbeat/Installation")<
  Installation,
  {
    /** The version of Node that runs this, without a `v`. */
    readonly node: Effect.Effect<string>
    /** Says whose the database at this path is where it is another user's; null where it is this user's. */
    readonly foreignOwner: (path: string) => Effect.Effect<string | null>
    /** Names the owner of the file or directory at this path where that is another user; null where it is this user's or missing. */
    readonly otherOwner: (path: string) => Effect.Effect<string | null>
    readonly file: (path: string) => Effect.Effect<FileFacts>
    /** Makes and removes a directory in this one: null where that works or there is no such directory yet, else the system's reason. */
    readonly tryWrite: (directory: string) => Effect.Effect<string | null>
    /** Sets the permission bits. False: the system refused. */
    readonly setMode: (path: string, mode: number) => Effect.Effect<boolean>
    /** Bytes free for us on the disk of a path, or of the nearest directory above it that exists; null: unknown. */
    readonly freeBytes: (path: string) => Effect.Effect<number | null>
    /** Names of the entries of a directory, at most 10,000; none where it is missing. */
    readonly entries: (directory: string) => Effect.Effect<ReadonlyArray<string>>
    /** Removes a directory and what is in it. False: the system refused. */
    readonly removeDirectory: (path: string) => Effect.Effect<boolean>
  }
>() {}
