/** Agents of which `shell` is prepared only where a check passes, under whatever argument it was named. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { ConfigInvalid, InvalidInput } from "../domain/Errors.ts"
import { Agents } from "../services/Agents.ts"

type Service = Context.Tag.Service<Agents>

export const checkingShell = (agents: Service, check: Effect.Effect<void, ConfigInvalid | InvalidInput>): Service =>
  Agents.of({
    ...agents,
    prepare: (request) => Effect.tap(agents.prepare(request), ({ agent }) => (agent === "shell" ? check : Effect.void))
  })
