/** Makes a fresh machine ready: the database exists, and where it is clear which agent is meant, it is the default. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AgentUnknown } from "../../domain/Errors.ts"
import { AgentInfo } from "../../domain/task/Agent.ts"
import type { Environment } from "../../domain/task/NewTask.ts"
import { Agents } from "../../services/Agents.ts"
import { Paths } from "../../services/Paths.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { Tasks } from "../../services/Tasks.ts"

export const InitReport = Schema.Struct({
  home: Schema.String,
  database: Schema.String,
  config: Schema.String,
  agents: Schema.Array(AgentInfo),
  defaultAgent: Schema.NullOr(Schema.String),
  /** Whether this run made it the default. */
  changed: Schema.Boolean
}).annotations({ identifier: "InitReport" })
export type InitReport = typeof InitReport.Type

/** `asked`: the agent to make the default; null leaves one that is set, and takes the only one installed otherwise. */
export const init = Effect.fn("init")(function* (environment: Environment, asked: string | null) {
  const paths = yield* Paths
  const agents = yield* Agents
  const settings = yield* SettingsStore
  // Opening the store has created it; a question makes sure that it answers.
  const tasks = yield* Tasks
  yield* tasks.counts

  const known = yield* agents.list(environment)
  if (asked !== null && !known.some(({ name }) => name === asked)) {
    return yield* new AgentUnknown({ agent: asked, known: known.map(({ name }) => name) })
  }
  const before = (yield* settings.get).defaultAgent
  const installed = known.filter(({ name, path }) => path !== null && name !== "shell")
  const only = installed.length === 1 ? (installed[0]?.name ?? null) : null
  const chosen = asked ?? before ?? only
  const changed = chosen !== null && chosen !== before
  if (changed) yield* settings.update((file) => Effect.succeed({ ...file, defaultAgent: chosen }))
  const report: InitReport = {
    home: paths.home,
    database: paths.database,
    config: paths.config,
    agents: changed ? yield* agents.list(environment) : known,
    defaultAgent: chosen,
    changed
  }
  return report
})
