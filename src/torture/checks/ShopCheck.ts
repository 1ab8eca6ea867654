/** Checks what all merges, reclaims and workspaces of a torture run leave once everything has ended. */
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import type { IsolatedPlan } from "../load/MergePlan.ts"
import { sealsOf } from "../load/Reclaims.ts"
import { git } from "../load/Repository.ts"
import { isThere, leftoversIn, treeFiles } from "../load/Shop.ts"
import type { Store, TaskRow } from "../Store.ts"
import type { World } from "../World.ts"
import { readJournal } from "./AgentJournal.ts"
import { mergeInvariant } from "./MergeCheck.ts"
import { reclaimInvariant } from "./ReclaimCheck.ts"

const sealInvariant = "what an agent left is sealed"

interface Place {
  readonly id: string
  readonly path: string
  readonly state: string
  readonly trash_path: string | null
}

const namesIn = (directory: string): ReadonlyArray<string> => (existsSync(directory) ? readdirSync(directory) : [])

/** What an agent that noted its start had changed by then is in the commit of its task. */
const checkWork = (
  plan: IsolatedPlan,
  works: ReadonlyArray<TaskRow>,
  shop: string,
  store: Store,
  world: World
): void => {
  for (const { id } of works) {
    if (readJournal(world.root, plan.key, id).starts.length === 0) continue
    const result = store.one<{ commit: string; home: number }>(
      `SELECT "commit", home FROM results WHERE task_id = ?`,
      id
    )
    const files = result === undefined ? null : treeFiles(shop, result.commit)
    if (files?.has(`new-${plan.key}`) !== true) {
      world.chronicle.breach(sealInvariant, id, "its agent has noted its start, and its file is not in the repository")
    }
  }
}

const checkPlaces = (store: Store, { chronicle, home }: World): void => {
  const rows = store.rows<Place>("SELECT id, path, state, trash_path FROM workspaces")
  const byId = new Map(rows.map((row) => [row.id, row]))
  const report = (id: string, detail: string) => chronicle.breach(reclaimInvariant, id, `workspace ${id}: ${detail}`)
  for (const { id, path, state, trash_path } of rows) {
    if (state === "trashed" && (trash_path === null || !isThere(trash_path)) && !isThere(path))
      report(id, "it is in the trash by its record, and nowhere on disk")
    if (state === "gone" && (isThere(path) || namesIn(join(home, "trash")).some((name) => name.startsWith(id))))
      report(id, "it is gone by its record, and its disk space is not given back")
    const half = isThere(join(path, ".git", "backbeat"))
      ? namesIn(join(path, "..")).filter((name) => name.includes(".tmp-"))
      : []
    if (half.length > 0) report(id, `half of a cut is left: ${half.join(", ")}`)
  }
  for (const name of namesIn(join(home, "trash"))) {
    if (!Array.from(byId.values()).some(({ trash_path }) => trash_path === join(home, "trash", name)))
      report(name, "its files are in the trash, and no record names them")
  }
}

const checkRepository = (shop: string, store: Store, { chronicle, home }: World): void => {
  const report = (detail: string) => chronicle.breach(mergeInvariant, null, detail)
  const open = store.rows<{ id: string; state: string }>(
    "SELECT id, state FROM merges WHERE state IN ('testing', 'applying', 'undoing')"
  )
  for (const { id, state } of open) report(`merge ${id} is still ${state}`)
  const left = leftoversIn(shop)
  if (left.length > 0) report(`left in the repository: ${left.join(", ")}`)
  const known = new Set(store.rows<{ id: string }>("SELECT id FROM merges").map(({ id }) => id))
  const names = (git(shop, "for-each-ref", "--format=%(refname)", "refs/backbeat/merge") ?? "")
    .split("\n")
    .filter(Boolean)
  for (const name of names) {
    const id = name.split("/")[3]?.split(".")[0] ?? ""
    if (!known.has(id)) report(`${name} belongs to no merge`)
  }
  const indexes = readdirSync(home).filter((name) => name.startsWith("index-"))
  if (indexes.length > 0) report(`left in the home: ${indexes.join(", ")}`)
  if (git(shop, "fsck", "--no-dangling", "--no-progress") === null) report("git fsck finds the repository damaged")
}

/** To be called when no process of the run is alive. */
export const checkShop = (
  plans: ReadonlyArray<IsolatedPlan>,
  worksOf: (key: string) => ReadonlyArray<TaskRow>,
  store: Store,
  world: World
): void => {
  const { shop } = world
  if (shop === null) return
  for (const plan of plans) checkWork(plan, worksOf(plan.key), shop, store, world)
  for (const { id } of store.rows<{ id: string }>("SELECT id FROM workspaces WHERE home = ?", shop)) {
    for (const [task, isFound] of sealsOf({ store }, shop, id)) {
      if (!isFound) world.chronicle.breach(sealInvariant, task, "its commit is not under its name in the repository")
    }
  }
  checkPlaces(store, world)
  checkRepository(shop, store, world)
}
