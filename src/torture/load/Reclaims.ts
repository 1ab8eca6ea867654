/** Reclaims and restores workspaces of isolated tasks in a torture run, again after each kill, and checks them with plain git. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { reclaimInvariant, reclaimProblems } from "../checks/ReclaimCheck.ts"
import { from as rotated } from "../Dice.ts"
import { type Load, runCommand } from "./Load.ts"
import type { StepPlan } from "./MergePlan.ts"
import { commitOf, filesOf, isThere, treeFiles } from "./Shop.ts"

interface Row {
  readonly id: string
  readonly path: string
  readonly state: string
  readonly base: string
  readonly last_seal: string | null
  readonly trash_path: string | null
}

const attempts = 8

const workspaces = ({ store, world }: Load, ...states: ReadonlyArray<string>) =>
  store.rows<Row>(
    `SELECT * FROM workspaces WHERE home = ? AND state IN (SELECT value FROM json_each(?)) AND EXISTS (
       SELECT 1 FROM tasks WHERE tasks.workspace_id = workspaces.id AND tasks.idempotency_key LIKE 'i%'
     ) AND NOT EXISTS (
       SELECT 1 FROM tasks WHERE tasks.workspace_id = workspaces.id AND tasks.status IN ('queued', 'running')
     ) ORDER BY created_at, id`,
    world.shop ?? "",
    JSON.stringify(states)
  )

/** Under the name of its task, with all of its files. */
const hasSeal = (shop: string, task: string, commit: string): boolean =>
  commitOf(shop, `refs/backbeat/task/${task}`) === commit && treeFiles(shop, commit) !== null

/** Each commit of a task in a workspace, and whether plain git finds it under its name with all of its files. */
export const sealsOf = (
  { store }: Pick<Load, "store">,
  shop: string,
  workspace: string
): ReadonlyMap<string, boolean> =>
  new Map(
    store
      .rows<{ task_id: string; commit: string }>(
        `SELECT task_id, "commit" FROM results WHERE workspace_id = ? AND home = 1`,
        workspace
      )
      .map(({ commit, task_id }) => [task_id, hasSeal(shop, task_id, commit)])
  )

const rowOf = ({ store }: Load, id: string) => store.one<Row>("SELECT * FROM workspaces WHERE id = ?", id)

/** Runs the same command again until it ends: done or refused, or null where it was killed each time. */
const untilAnswered = (load: Load, id: string, step: StepPlan & { readonly what: "reclaim" | "restore" }) =>
  Effect.gen(function* () {
    const { chronicle } = load.world
    const trouble = step.trouble !== null && "killApplyingMs" in step.trouble ? null : step.trouble
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const args = ["workspace", step.what, id]
      const { code, signal, stderr, stdout } = yield* runCommand(load, args, attempt === 1 ? trouble : null)
      const said = `${stdout.toString().trim()} ${stderr.trim()}`.slice(0, 300)
      chronicle.note(id, `beat workspace ${step.what}: ${code ?? signal} ${said}`)
      if (code === 0) return "done" as const
      // A worker may be finishing the reclaim that was killed, and be killed in its turn: the place is judged once it has ended.
      if (code !== null && code !== 74 && rowOf(load, id)?.state !== "reclaiming") return "refused" as const
      if (code === null) chronicle.did(`${step.what} killed`)
      yield* Effect.sleep(100)
    }
    return null
  })

const checkPlace = (
  load: Load,
  shop: string,
  what: "reclaim" | "restore",
  id: string,
  told: "done" | "refused",
  late: string | null
): void => {
  const { chronicle } = load.world
  const row = rowOf(load, id)
  if (row === undefined) {
    chronicle.breach(reclaimInvariant, id, "its record is gone")
    return
  }
  const sealed = treeFiles(shop, row.last_seal ?? row.base)
  const problems = reclaimProblems({
    what,
    told,
    state: row.state,
    isThere: isThere(row.path),
    isInTrash: row.trash_path !== null && isThere(row.trash_path),
    late,
    lateFiles: treeFiles(shop, `refs/backbeat/ws/${id}/late`),
    seals: sealsOf(load, shop, id),
    sealed: sealed ?? new Map(),
    found: isThere(row.path) ? filesOf(row.path) : null
  })
  for (const problem of problems) chronicle.breach(reclaimInvariant, id, `workspace ${id}: ${problem}`)
  if (sealed === null)
    chronicle.breach(reclaimInvariant, id, `workspace ${id}: its newest commit is not in the repository`)
}

export const reclaimStep = (load: Load, shop: string, step: StepPlan & { readonly what: "reclaim" }) =>
  Effect.gen(function* () {
    const [row] = rotated(workspaces(load, "ready"), step.pick)
    if (row === undefined) return false
    const late = step.late && isThere(row.path) ? `late-${load.steps.length}` : null
    if (late !== null) writeFileSync(join(row.path, late), "late\n")
    const told = yield* untilAnswered(load, row.id, step)
    if (told === null) return true
    checkPlace(load, shop, "reclaim", row.id, told, late)
    load.world.chronicle.did(`reclaim ${told}`)
    return true
  })

export const restoreStep = (load: Load, shop: string, step: StepPlan & { readonly what: "restore" }) =>
  Effect.gen(function* () {
    const [row] = rotated(workspaces(load, "trashed", "gone"), step.pick)
    if (row === undefined) return false
    const told = yield* untilAnswered(load, row.id, step)
    if (told === null) return true
    checkPlace(load, shop, "restore", row.id, told, null)
    load.world.chronicle.did(`restore ${told}`)
    return true
  })
