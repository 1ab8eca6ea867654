/** Leads of a torture run: agents that delegate tasks over MCP, ask to be woken, end their turn, and continue. */
import type { Dice } from "../Dice.ts"
import { promptOf } from "./Script.ts"
import { planStep, type TaskPlan } from "./TaskPlan.ts"

export interface LeadPlan {
  readonly key: string
  /** What it delegates in each turn but the last. */
  readonly rounds: ReadonlyArray<ReadonlyArray<TaskPlan>>
  /** Where the first server of a turn dies; null: nowhere. */
  readonly failpoint: string | null
  readonly afterMs: number
}

const failpoints = ["askToBeWoken.commit", "askToBeWoken.committed", "enqueue.committed"]

/** Few: each turn starts a server. */
const secondsPerLead = 8

const planChild = (dice: Dice, key: string): TaskPlan => ({
  ...planStep(dice, key),
  behaviour: "lines",
  retries: 0,
  // Long enough to run while its lead ends its turn, also on a busy machine.
  lines: dice.between(5, 8),
  pauseMs: dice.pick([300, 500, 700])
})

export const planLeads = (dice: Dice, durationMs: number): ReadonlyArray<LeadPlan> =>
  Array.from({ length: Math.ceil(durationMs / 1000 / secondsPerLead) }, (_, index) => ({
    key: `w${index}`,
    rounds: Array.from({ length: dice.between(1, 2) }, (_, round) =>
      Array.from({ length: dice.between(1, 2) }, (_, child) => planChild(dice, `w${index}.${round}.${child}`))
    ),
    failpoint: dice.chance(0.4) ? dice.pick(failpoints) : null,
    afterMs: dice.between(0, 2000)
  }))

export const childrenOf = ({ rounds }: LeadPlan): ReadonlyArray<TaskPlan> => rounds.flat()

/** What a lead reads from its file: the calls of each turn. */
export const leadFile = ({ failpoint, rounds }: LeadPlan, root: string): string =>
  JSON.stringify({
    failpoint,
    rounds: rounds.map((children) =>
      children.map((child) => ({ agent: "shell", key: child.key, prompt: promptOf(child, root) }))
    )
  })

/**
 * `node lead.cjs KEY`. It notes its start with its claim and the number of its wake, `asks` before each request, `asked` with
 * the wake and the tasks that the server says it waits for, and its end. A server that dies, or a store that is locked, is asked again: each task has a key.
 */
export const leadScript = (root: string, beat: ReadonlyArray<string>): string => `
"use strict"
const { spawn } = require("node:child_process")
const { appendFileSync, existsSync, readFileSync, readlinkSync } = require("node:fs")
const root = ${JSON.stringify(root)}
const [program, ...words] = ${JSON.stringify(beat)}
const key = process.argv[2]
const { failpoint, rounds } = JSON.parse(readFileSync(root + "/leads/" + key + ".json", "utf8"))
const wake = Number(process.env.BACKBEAT_WAKE ?? 0)
const note = (...said) => {
  const up = readFileSync("/proc/uptime", "utf8").split(" ")[0]
  appendFileSync(root + "/journal/" + key, [up, process.env.BACKBEAT_TASK_ID, ...said].join(" ") + "\\n")
}
const calls = [
  ["initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "lead", version: "1" } }],
  ["tools/call", { name: "DelegateTask", arguments: { tasks: rounds[wake] } }],
  ["tools/call", { name: "WakeMe", arguments: {} }]
]
// The answer to the last call; null where the server died or the store was locked.
const ask = (env) => new Promise((resolve) => {
  const server = spawn(program, [...words, "mcp", "start"], { env, stdio: ["pipe", "pipe", "ignore"] })
  let rest = ""
  let answer = null
  const send = (id) => server.stdin.write(JSON.stringify({ jsonrpc: "2.0", id, method: calls[id][0], params: calls[id][1] }) + "\\n")
  server.stdin.on("error", () => {})
  server.on("error", () => resolve(null))
  server.on("close", () => resolve(answer))
  server.stdout.setEncoding("utf8").on("data", (text) => {
    const lines = (rest + text).split("\\n")
    rest = lines.pop()
    for (const line of lines) {
      const { id, result } = JSON.parse(line)
      if (typeof id !== "number") continue
      const said = result?.content?.[0]?.text ?? ""
      const isLocked = result === undefined || (result.isError === true && /locked|busy/.test(said))
      if (!isLocked && result.isError !== true && id + 1 < calls.length) {
        if (id === 1) note("asks")
        if (id === 0) server.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\\n')
        send(id + 1)
        continue
      }
      answer = isLocked ? null : { ok: result.isError !== true, said }
      server.stdin.end()
    }
  })
  send(0)
})
const turn = async () => {
  note("start", readlinkSync("/proc/self/fd/1").split("/").at(-2), wake)
  if (wake < rounds.length) {
    for (let attempt = 1; attempt <= 20; attempt++) {
      const env = { ...process.env }
      // The machine may have been restarted since the lead was handed over.
      if (existsSync(root + "/boot")) env.BACKBEAT_BOOT_ID = readFileSync(root + "/boot", "utf8")
      if (attempt === 1 && failpoint !== null) env.BACKBEAT_FAILPOINTS = failpoint + ":kill"
      const answer = await ask(env)
      if (answer === null) continue
      // All that it delegated has ended before it asked: it is done.
      if (answer.ok) {
        const promised = JSON.parse(answer.said)
        note("asked", promised.wake, promised.waitsFor.join(","))
      } else note(/no open task|nothing/i.test(answer.said) ? "none" : "refused", answer.said.slice(0, 200).replace(/\\s+/g, " "))
      break
    }
  }
  note("end", 0)
}
void turn()
`
