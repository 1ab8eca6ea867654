/** The settings: config file, with `BACKBEAT_*` variables on top. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { ConfigInvalid, StorageError } from "../domain/Errors.ts"
import type { Settings, SettingsFile, WrittenSettings } from "../domain/settings/Settings.ts"

export class SettingsStore extends Context.Tag("backbeat/SettingsStore")<
  SettingsStore,
  {
    /** What is in force now: variables over file over defaults. The file is read again on each call; the same object means that nothing has changed. */
    readonly get: Effect.Effect<Settings, ConfigInvalid>
    /** What the file says; empty when there is none. */
    readonly file: Effect.Effect<SettingsFile, ConfigInvalid>
    /**
     * Changes the file in one atomic write (temporary file, mode 0600, rename), under a lock between processes. `change` gets what is
     * written, with its secrets, and returns what shall be; that is decoded before it is written. Settings of another user are refused with a StorageError.
     */
    readonly update: (
      change: (file: WrittenSettings) => Effect.Effect<unknown, ConfigInvalid>
    ) => Effect.Effect<SettingsFile, ConfigInvalid | StorageError>
  }
>() {}
