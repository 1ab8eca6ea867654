/** The part of the system that keeps programs running and starts them after a reboot: systemd's user manager, or launchd. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ConfigInvalid } from "../domain/Errors.ts"

/** What a program said; `code` is null where it is not there or did not end in time. */
export interface Ran {
  readonly code: number | null
  readonly output: string
}

export class ServiceSystem extends Context.Tag("backbeat/ServiceSystem")<
  ServiceSystem,
  {
    /** Null where neither is there, in a container for instance. */
    readonly kind: "systemd" | "launchd" | null
    /** Where the unit or property list of ours belongs. */
    readonly file: string
    readonly user: string
    readonly uid: number
    /** The command that runs this `beat`, with full paths. */
    readonly command: ReadonlyArray<string>
    /** Variables of this process that decide where Backbeat keeps its files and finds its tools. */
    readonly environment: Readonly<Record<string, string>>
    /** The text of a file; null where there is none. */
    readonly read: (path: string) => Effect.Effect<string | null>
    /** Makes the directories above it too. */
    readonly write: (path: string, text: string) => Effect.Effect<void, ConfigInvalid>
    readonly remove: (path: string) => Effect.Effect<void, ConfigInvalid>
    /** Runs one of the system's own programs, for at most a few seconds. */
    readonly run: (program: string, args: ReadonlyArray<string>) => Effect.Effect<Ran>
  }
>() {}
