/** Clients of MCP servers that delegate tasks, and lose their servers on the way. */
import * as Effect from "effect/Effect"
import type { AskedEdge } from "../Chronicle.ts"
import { accept } from "./Answers.ts"
import { edgesOf, type Load, next } from "./Load.ts"
import { idsOf, McpClient } from "./McpClient.ts"
import { isClaude, promptOf } from "./Script.ts"
import type { TaskPlan } from "./TaskPlan.ts"

const asDelegated = (plan: TaskPlan, root: string, edges: ReadonlyArray<AskedEdge>, continued: string | undefined) => ({
  agent: isClaude(plan.behaviour) ? "claude" : "shell",
  prompt: promptOf(plan, root),
  priority: plan.priority,
  labels: { torture: plan.key },
  maxOutputBytes: plan.maxOutputBytes,
  dependsOn: edges.map(({ policy, upstream }) => (policy === "success" ? upstream : `${upstream}:${policy}`)),
  ...(continued === undefined ? {} : { continueFrom: continued }),
  ...(plan.retries === 0 ? {} : { retries: plan.retries, backoffMs: plan.backoffMs }),
  ...(plan.keyed ? { key: plan.key } : {}),
  ...(plan.timeoutMs === null ? {} : { timeoutMs: plan.timeoutMs }),
  ...(plan.stallMs === null ? {} : { stallMs: plan.stallMs }),
  ...(plan.notBeforeMs === null ? {} : { notBefore: new Date(Date.now() + plan.notBeforeMs).toISOString() })
})

/** Sends a few tasks to a server in one call. Those with a key are sent again if the server died; true while it lives. */
const delegate = (load: Load, server: McpClient, plans: ReadonlyArray<TaskPlan>) =>
  Effect.gen(function* () {
    const { chronicle, root } = load.world
    for (const plan of plans) chronicle.note(plan.key, "DelegateTask")
    const asked = {
      tasks: plans.map((plan) => {
        const edges = edgesOf(load, plan)
        return asDelegated(plan, root, edges, chronicle.continued.get(plan.key))
      })
    }
    const answer = yield* Effect.promise(() => server.call("DelegateTask", asked).catch(String))
    if (answer === null) {
      for (const plan of plans) {
        if (plan.keyed) load.byMcp.unshift(plan)
        else chronicle.unsure.add(plan.key)
      }
      return false
    }
    const ids = typeof answer === "string" || answer.isError === true ? [] : idsOf(answer.structuredContent)
    const said = typeof answer === "string" ? answer : (answer.content?.[0]?.text ?? "")
    for (const [index, plan] of plans.entries()) {
      const id = ids[index]
      if (id !== undefined) yield* accept(load, plan, id, "DelegateTask")
      else if (plan.keyed && /locked|busy/i.test(said)) load.byMcp.unshift(plan)
      else chronicle.breach("a task is accepted", plan.key, `DelegateTask: ${said}`)
    }
    return true
  })

/** Up to `count` more that have a key too: one without must not share its fate with others. */
const alike = ({ byMcp }: Load, count: number): ReadonlyArray<TaskPlan> => {
  const keyed = byMcp.slice(0, count)
  const end = keyed.findIndex((plan) => !plan.keyed)
  return byMcp.splice(0, end < 0 ? keyed.length : end)
}

/** One client after another, each with its own server that serves the queue meanwhile. */
export const client = (load: Load) =>
  Effect.gen(function* () {
    while (!load.over) {
      yield* load.world.up.await
      const server = new McpClient(load.world, load.servers.shift() ?? undefined)
      load.server = server
      if (!(yield* Effect.promise(() => server.initialize().catch(() => false)))) continue
      for (let calls = 0; calls < 12 && !load.over; calls++) {
        const first = yield* next(load, load.byMcp)
        if (first === null) break
        const more = first.keyed ? alike(load, 2 + (Number(first.key.slice(1)) % 5)) : []
        if (!(yield* delegate(load, server, [first, ...more]))) break
        yield* Effect.sleep(100)
      }
      load.server = null
      yield* Effect.promise(() => server.leave())
    }
  })
