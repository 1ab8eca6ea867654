/** Records of workspaces for tests that have none. The records themselves are tested over SQLite. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { WorkspaceNotFound } from "../../../domain/workspace/WorkspaceErrors.ts"
import { Workspaces } from "../../../services/Workspaces.ts"

const missing = (reference: string) => Effect.fail(new WorkspaceNotFound({ reference, candidates: [] }))

export const layerTest = Layer.succeed(Workspaces, {
  ofTask: () => Effect.succeed(Option.none()),
  get: missing,
  resolve: missing,
  list: () => Effect.succeed([]),
  ready: () => Effect.void,
  rebase: () => Effect.void,
  sealed: () => Effect.void,
  troubled: () => Effect.void,
  result: () => Effect.succeed(Option.none()),
  keep: () => Effect.void,
  measured: () => Effect.void,
  unmeasured: () => Effect.succeed([]),
  held: Effect.succeed({ bytes: 0, count: 0 }),
  waitOf: () => Effect.succeed(null),
  working: Effect.succeed(new Map()),
  idle: () => Effect.succeed([]),
  trash: () => Effect.succeed([]),
  reclaiming: missing,
  trashed: () => Effect.void,
  returned: () => Effect.void,
  gone: () => Effect.void,
  restored: () => Effect.void
})
