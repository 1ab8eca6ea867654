/** The agents with their verdicts, which only a worker needs: the bundle of the light commands has none of this. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Evidence, Verdict } from "../../domain/task/Agent.ts"
import { Agents } from "../../services/Agents.ts"
import type { Fingerprints } from "../../services/Fingerprints.ts"
import type { Ids } from "../../services/Ids.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { make, settingsOf } from "./Agents.ts"
import * as Claude from "./adapters/claude.ts"
import * as Codex from "./adapters/codex.ts"
import * as Copilot from "./adapters/copilot.ts"
import * as Gemini from "./adapters/gemini.ts"
import * as Opencode from "./adapters/opencode.ts"
import * as Pi from "./adapters/pi.ts"
import * as Qwen from "./adapters/qwen.ts"
import * as Shell from "./adapters/shell.ts"
import { cutEnd } from "./reading/Bounds.ts"
import { mask } from "./reading/Secrets.ts"
import { maxErrorBytes } from "./reading/Verdict.ts"
import { signalReaderOf } from "./signals/AgentSignals.ts"
import { callReaderOf } from "./signals/callReaderOf.ts"
import { claudeHeard } from "./signals/claudeHeard.ts"
import { judgeCommand, named } from "./starting/Command.ts"

const verdicts: ReadonlyMap<string, (evidence: Evidence) => Verdict> = new Map([
  ["claude", Claude.verdict],
  ["codex", Codex.verdict],
  ["copilot", Copilot.verdict],
  ["gemini", Gemini.verdict],
  ["opencode", Opencode.verdict],
  ["pi", Pi.verdict],
  ["qwen", Qwen.verdict],
  ["shell", Shell.verdict]
])

/** A custom agent is judged by its exit code, as any command is. */
export const verdictOf = (name: string, evidence: Evidence): Verdict =>
  verdicts.get(name)?.(evidence) ?? judgeCommand(named(name), evidence)

const judging = Effect.gen(function* () {
  const store = yield* SettingsStore
  const agents = yield* make

  /** Keys of the config file: they are taken out of error texts whatever they look like. */
  const keysOf = (name: string) =>
    store.get.pipe(
      Effect.map((settings) => {
        const { apiKey } = settingsOf(settings, name)
        return apiKey === undefined ? [] : [Redacted.value(apiKey)]
      }),
      // A verdict must not fail for a config file that became unreadable meanwhile.
      Effect.catchTag("ConfigInvalid", () => Effect.succeed([]))
    )

  return Agents.of({
    ...agents,
    signals: (agent) => Effect.succeed(signalReaderOf(agent)),
    heard: (agent, lines) => Effect.sync(() => (agent === "claude" ? lines.flatMap(claudeHeard) : [])),
    calls: (agent) => Effect.succeed(callReaderOf(agent)),
    verdict: Effect.fn("Agents.verdict")(function* (name, evidence) {
      const verdict = verdictOf(name, evidence)
      if (verdict.error === null) return verdict
      return { ...verdict, error: cutEnd(mask(verdict.error, yield* keysOf(name)), maxErrorBytes) }
    })
  })
})

export const layer: Layer.Layer<Agents, never, Fingerprints | SettingsStore | Ids> = Layer.effect(Agents, judging)
