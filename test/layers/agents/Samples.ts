/** Real output of real agents, recorded: golden input for the readers. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { Agent, Evidence, ProcessEnd } from "../../../src/domain/task/Agent.ts"
import { builtInAgent } from "../../../src/layers/agents/Registry.ts"

const directory = Path.resolve(import.meta.dirname, "../../fixtures/agents")

const linesOf = (file: string): ReadonlyArray<string> => {
  const path = Path.join(directory, file)
  if (!Fs.existsSync(path)) return []
  const lines = Fs.readFileSync(path, "utf8").split("\n")
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines
}

const ends: ReadonlyMap<string, ProcessEnd> = new Map(
  Object.entries(JSON.parse(Fs.readFileSync(Path.join(directory, "ends.json"), "utf8")))
)

export const names: ReadonlyArray<string> = Array.from(ends.keys())

/** A little after the samples were taken. */
export const endedAt = Date.UTC(2026, 10, 23, 7, 31, 20)

/** The agent's samples are told by how their file names begin. */
export const agentOf = (sample: string): Agent => {
  const name = /^[a-z]+/.exec(sample)?.[0] ?? ""
  const agent = builtInAgent(name)
  if (agent === undefined) throw new Error(`no agent '${name}' for sample ${sample}`)
  return agent
}

export const evidence = (sample: string, end?: ProcessEnd): Evidence => {
  const recorded = end ?? ends.get(sample)
  if (recorded === undefined) throw new Error(`no end of sample ${sample} in ends.json`)
  return { end: recorded, stdout: linesOf(`${sample}.stdout`), stderr: linesOf(`${sample}.stderr`), endedAt }
}

export const rendered = (agent: Agent, lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const renderer = agent.renderer()
  const shown = lines.flatMap((line) => renderer.line(line))
  return [...shown, ...renderer.end()]
}
