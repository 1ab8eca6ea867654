/** Puts the skill of Backbeat where an agent finds it, and takes it out again. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ConfigInvalid } from "../../domain/Errors.ts"
import { type ClientDirectories, McpClients } from "../../services/McpClients.ts"

export const SkillAgent = Schema.Literal("claude", "codex", "copilot", "gemini", "opencode")
export type SkillAgent = typeof SkillAgent.Type

/** Where each of them looks for skills of its user. Codex reads the directory that several agents share. */
const places: Readonly<Record<SkillAgent, (directories: ClientDirectories) => string>> = {
  claude: ({ claude }) => `${claude}/skills`,
  codex: ({ home }) => `${home}/.agents/skills`,
  copilot: ({ copilot }) => `${copilot}/skills`,
  gemini: ({ home }) => `${home}/.gemini/skills`,
  opencode: ({ config }) => `${config}/opencode/skills`
}

export const SkillReport = Schema.Struct({
  agent: SkillAgent,
  file: Schema.String,
  /** Whether the file is there and what this version writes. */
  state: Schema.Literal("installed", "outdated", "absent", "foreign"),
  /** Whether this call has written or removed it. */
  changed: Schema.Boolean
}).annotations({ identifier: "SkillReport" })
export type SkillReport = typeof SkillReport.Type

const skillName = "backbeat"

/** Marks the file as ours: one without it is never changed. */
const skillMark = "<!-- Written by 'beat skills install'; 'beat skills uninstall' removes it. -->"

/** The skill file. Its text is loaded when it is needed. */
export const skillFile = Effect.map(
  Effect.promise(() => import("../../text/skillText.ts")),
  ({ skillText }) => skillText(skillName, skillMark)
)

const look = Effect.fn("skills.look")(function* (agent: SkillAgent) {
  const { directories, read } = yield* McpClients
  const file = `${places[agent](yield* directories)}/${skillName}/SKILL.md`
  const text = yield* read(file)
  const state =
    text === null
      ? "absent"
      : text === (yield* skillFile)
        ? "installed"
        : text.includes(skillMark)
          ? "outdated"
          : "foreign"
  const report: SkillReport = { agent, file, state, changed: false }
  return { report, text }
})

const foreign = (file: string) =>
  new ConfigInvalid({ path: file, problem: "was not written by Backbeat and stays as it is; move it away first" })

export const skillStates = Effect.forEach(SkillAgent.literals, (agent) =>
  Effect.map(look(agent), ({ report }) => report)
)

/** Writes the skill, or brings it up to date. A second time it does nothing. */
export const installSkill = Effect.fn("installSkill")(function* (agent: SkillAgent) {
  const { replace } = yield* McpClients
  const { report, text } = yield* look(agent)
  if (report.state === "foreign") return yield* foreign(report.file)
  if (report.state === "installed") return report
  yield* replace(report.file, text, yield* skillFile)
  const installed: SkillReport = { ...report, state: "installed", changed: true }
  return installed
})

/** Removes the skill, and its directory where nothing else is in it. */
export const uninstallSkill = Effect.fn("uninstallSkill")(function* (agent: SkillAgent) {
  const { remove } = yield* McpClients
  const { report, text } = yield* look(agent)
  if (text === null) return report
  if (report.state === "foreign") return yield* foreign(report.file)
  yield* remove(report.file, text)
  const removed: SkillReport = { ...report, state: "absent", changed: true }
  return removed
})
