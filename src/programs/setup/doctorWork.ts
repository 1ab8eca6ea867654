/** The part of the doctor that looks at workspaces, merges and hooks. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Deliveries } from "../../services/Deliveries.ts"
import { Merges } from "../../services/Merges.ts"
import { Paths } from "../../services/Paths.ts"
import { Processes } from "../../services/Processes.ts"
import { SettingsStore } from "../../services/SettingsStore.ts"
import { WorkspaceGit } from "../../services/WorkspaceGit.ts"
import { Workspaces } from "../../services/Workspaces.ts"
import { bytes } from "../../text/FormatDuration.ts"
import { allHooks } from "../hooks/requireHook.ts"
import { recoverMerge } from "../merges/recoverMerge.ts"
import { ensureWorker } from "../worker/ensureWorker.ts"
import type { Check } from "./Check.ts"

/** Workspaces that are looked at, and that are named. */
const mostLooked = 1000
const mostNamed = 3

const check = (name: string, status: Check["status"], detail: string, advice: string | null = null): Check => ({
  name,
  status,
  detail,
  advice
})

const checkWorkspaces = Effect.gen(function* () {
  const workspaces = yield* Workspaces
  const entries = yield* workspaces.list({ state: ["planned", "ready", "reclaiming"], limit: mostLooked })
  const troubled = entries.flatMap(({ workspace }) =>
    workspace.problem === null ? [] : [`${workspace.id}: ${workspace.problem}`]
  )
  const git = yield* WorkspaceGit
  const paths = yield* Paths
  const { workspaceMaxBytes } = yield* (yield* SettingsStore).get
  const size = yield* git.size(paths.workspaces)
  const most = workspaceMaxBytes === null ? "" : ` of ${bytes(workspaceMaxBytes)}`
  const held = `${entries.length} in use, ${size === null ? "more than can be counted in 5 s" : bytes(size)}${most}`
  if (troubled.length === 0) {
    if (workspaceMaxBytes === null || size === null || size < workspaceMaxBytes) return check("workspaces", "ok", held)
    const advice = "see which are in use: beat workspace list; or allow more: beat config set workspaceMaxBytes N"
    return check("workspaces", "warn", `${held}: none is made until others are reclaimed`, advice)
  }
  const named = troubled.slice(0, mostNamed).join("; ")
  const more = troubled.length > mostNamed ? `; and ${troubled.length - mostNamed} more` : ""
  return check("workspaces", "warn", `${named}${more}`, "look into them: beat workspace list")
}).pipe(Effect.withSpan("doctor.workspaces"))

/** A merge whose process was killed is finished or taken back. */
const checkMerges = Effect.fn("doctor.merges")(function* (fix: boolean) {
  const merges = yield* Merges
  const processes = yield* Processes
  const open = yield* merges.allOpen
  const abandoned = yield* Effect.filter(open, ({ owner }) =>
    Effect.map(processes.alive(owner), (alive) => alive === "dead")
  )
  if (abandoned.length === 0) return check("merges", "ok", "none was interrupted")
  const told = abandoned.map(({ branch, home, taskId }) => `of task ${taskId} into ${branch} of ${home}`).join("; ")
  if (!fix) return check("merges", "warn", `interrupted: ${told}`, "'beat doctor --fix' ends them")
  const ended = yield* Effect.forEach(abandoned, (merge) =>
    recoverMerge(merge).pipe(
      Effect.map((state) => `task ${merge.taskId} ${state ?? "is carried out by another process"}`),
      Effect.catchTag("MergeFailed", (error) => Effect.succeed(`task ${merge.taskId}: ${error.message}`))
    )
  )
  return check("merges", "fixed", ended.join("; "))
})

const dayMs = 24 * 60 * 60 * 1000

/** A message that has waited so long, in milliseconds, waits for a worker. */
const overdueMs = 5 * 60 * 1000

/** Messages to hooks that were given up, and those that no worker sends. */
const checkHooks = Effect.fn("doctor.hooks")(function* (fix: boolean) {
  // The broken config was reported already.
  const hooks = yield* allHooks.pipe(Effect.catchTag("ConfigInvalid", () => Effect.succeed(null)))
  if (hooks === null) return check("hooks", "warn", "cannot be listed with this config")
  const now = yield* Clock.currentTimeMillis
  const counts = yield* (yield* Deliveries).counts(Math.max(0, now - dayMs))
  const dead = counts.filter(({ state }) => state === "dead")
  // A quiet hook is not late.
  const sending = new Set(hooks.flatMap(({ enabled, name, quiet }) => (enabled && quiet === undefined ? [name] : [])))
  const late = counts.filter(({ hook, nextAt }) => nextAt !== null && sending.has(hook) && now - nextAt > overdueMs)
  const told = (some: typeof counts) => some.map(({ count, hook }) => `${count} to ${hook}`).join(", ")
  if (late.length > 0) {
    const detail = `messages wait for a worker: ${told(late)}`
    if (!fix) return check("hooks", "warn", detail, "start a worker: beat worker --detach")
    yield* ensureWorker()
    return check("hooks", "fixed", detail)
  }
  if (dead.length > 0) {
    return check("hooks", "warn", `messages were given up today: ${told(dead)}`, "see why: beat hooks log --failed")
  }
  return check("hooks", "ok", hooks.length === 0 ? "none" : hooks.map(({ name }) => name).join(", "))
})

export const doctorWork = Effect.fn("doctor.work")(function* (fix: boolean) {
  return [yield* checkWorkspaces, yield* checkMerges(fix), yield* checkHooks(fix)]
})
