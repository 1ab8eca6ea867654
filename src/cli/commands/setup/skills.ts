/** `beat skills`: the file that teaches an agent when and how to use Backbeat. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { nearest } from "../../../domain/Spelling.ts"
import {
  installSkill,
  SkillAgent,
  SkillReport,
  skillFile,
  skillStates,
  uninstallSkill
} from "../../../programs/setup/Skills.ts"
import { sanitize } from "../../../text/Sanitize.ts"
import { command } from "../../framework/Command.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { printJson } from "../../framework/Json.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { UsageError } from "../../framework/UsageError.ts"
import { json } from "../../input/Values.ts"

const known = SkillAgent.literals.join(", ")

const agentNamed = Effect.fn("skills.agentNamed")(function* (name: string) {
  const agent = SkillAgent.literals.find((each) => each === name)
  if (agent !== undefined) return agent
  const close = nearest(name, SkillAgent.literals)
  return yield* new UsageError({
    problem: `'${name.slice(0, 60)}' is not an agent with a known place for skills`,
    hint: close === null ? `Known: ${known}. For others: beat skills show > SKILL.md` : `Did you mean '${close}'?`
  })
})

const agentArgument = Args.text({ name: "agent" }).pipe(Args.withDescription(known))

export const skillsInstall = command({
  name: "skills install",
  forPersons: "change the skills of an agent",
  section: "machine",
  summary: "Teach an agent when and how to use Backbeat, with a skill file",
  details: `For ${known}. Writes one file, backbeat/SKILL.md, into the agent's directory of skills and changes no other. If the file exists, the command brings it up to date. A file of that name that Backbeat did not write stays as it is.`,
  examples: [["beat skills install claude", "for all your sessions of Claude Code"]],
  options: Options.all({ json }),
  args: Args.all({ agent: agentArgument }),
  completes: "none",
  run: Effect.fn("beat.skills.install")(function* (given, { agent }) {
    const terminal = yield* Terminal
    const report = yield* installSkill(yield* agentNamed(agent))
    if (given.json) yield* printJson(SkillReport, report)
    else yield* terminal.say(`${report.changed ? "Wrote" : "Already there:"} ${sanitize(report.file)}`)
    return ExitCode.ok
  })
})

export const skillsUninstall = command({
  name: "skills uninstall",
  forPersons: "change the skills of an agent",
  section: "machine",
  summary: "Remove the skill file of Backbeat from an agent",
  options: Options.all({ json }),
  args: Args.all({ agent: agentArgument }),
  completes: "none",
  run: Effect.fn("beat.skills.uninstall")(function* (given, { agent }) {
    const terminal = yield* Terminal
    const report = yield* uninstallSkill(yield* agentNamed(agent))
    if (given.json) yield* printJson(SkillReport, report)
    else yield* terminal.say(`${report.changed ? "Removed" : "Not there:"} ${sanitize(report.file)}`)
    return ExitCode.ok
  })
})

export const skillsShow = command({
  name: "skills show",
  section: "machine",
  summary: "Print the skill, or with an agent where it is installed",
  examples: [["beat skills show > SKILL.md", "for an agent that is not known"]],
  options: Options.all({ json }),
  args: Args.optional(agentArgument),
  completes: "none",
  run: Effect.fn("beat.skills.show")(function* (given, agent) {
    const terminal = yield* Terminal
    if (Option.isNone(agent) && !given.json) {
      yield* terminal.print((yield* skillFile).trimEnd())
      return ExitCode.ok
    }
    const wanted = yield* Option.match(agent, {
      onNone: () => Effect.succeed(null),
      onSome: (name) => agentNamed(name)
    })
    const states = (yield* skillStates).filter((one) => wanted === null || one.agent === wanted)
    if (given.json) yield* printJson(Schema.Array(SkillReport), states)
    else for (const { file, state } of states) yield* terminal.print(`${state} ${sanitize(file)}`)
    return ExitCode.ok
  })
})
