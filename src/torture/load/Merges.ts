/** A person who merges what isolated tasks left, takes merges back, and reclaims workspaces; all of it killed on the way. */
import { appendFileSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { pretty } from "effect/Cause"
import * as Effect from "effect/Effect"
import { type MergeStep, mergeInvariant, mergeProblems } from "../checks/MergeCheck.ts"
import { from as rotated } from "../Dice.ts"
import { childrenOf } from "../faults/SystemProcesses.ts"
import type { Finished } from "../World.ts"
import { brokenFile } from "./Isolated.ts"
import { type Load, runCommand } from "./Load.ts"
import type { Settle, StepPlan, StepTrouble } from "./MergePlan.ts"
import { reclaimStep, restoreStep } from "./Reclaims.ts"
import { git } from "./Repository.ts"
import { commitOf, isThere, mergedFiles, type ShopState, shopState, treeFiles } from "./Shop.ts"

/** It fails where the work of a task that breaks it is in. */
export const checkCommand = `test ! -e ${brokenFile}`

/** In the repository. Files carry the time of the system: the clock that is set is not for what compares them. */
const placeOf = ({ world }: Load) => ({ directory: world.shop ?? world.root, variables: { NODE_OPTIONS: "" } })

/** What was killed is repeated this often: each time may be killed again, and only what has ended can be judged. */
const attempts = 60

/** The doctor is asked again this often while a merge is open and it reports a problem: the store may be locked for a while. */
const doctorAttempts = 5

interface MergeRow {
  readonly state: string
  readonly before: string
  readonly merged: string | null
  readonly check_task: string | null
}

/** Kills the command and the git below it, as a power cut would, once git changes files. */
const killApplying = (load: Load, args: ReadonlyArray<string>, afterMs: number): Effect.Effect<Finished> =>
  Effect.gen(function* () {
    const running = load.world.start(args, placeOf(load))
    let ended = false
    void running.finished.then(() => {
      ended = true
    })
    const lock = join(load.world.shop ?? "", ".git", "index.lock")
    while (!ended && !isThere(lock)) yield* Effect.sleep(1)
    yield* Effect.sleep(afterMs)
    const { pid } = running.child
    const below = pid === undefined || ended ? [] : childrenOf(pid)
    if (running.child.kill("SIGKILL")) {
      load.world.chronicle.fault("kill-applying", 1)
      for (const child of below) {
        try {
          process.kill(child, "SIGKILL")
        } catch {
          // It has ended.
        }
      }
    }
    return yield* Effect.promise(() => running.finished)
  })

const runStep = (load: Load, args: ReadonlyArray<string>, trouble: StepTrouble) =>
  trouble !== null && "killApplyingMs" in trouble
    ? killApplying(load, args, trouble.killApplyingMs)
    : runCommand(load, args, trouble, placeOf(load))

const newest = ({ store }: Load, task: string) =>
  store.one<MergeRow>("SELECT * FROM merges WHERE task_id = ? ORDER BY seq DESC LIMIT 1", task) ?? null

const isOpen = (load: Load, task: string) =>
  ["testing", "applying", "undoing"].includes(newest(load, task)?.state ?? "")

/** Runs the same command again, or the doctor, until one of them ends without being killed. */
const settleWith = (load: Load, task: string, args: ReadonlyArray<string>, { by, failpoint }: Settle) =>
  Effect.gen(function* () {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const trouble = attempt === 1 && failpoint !== null ? { failpoint } : null
      const words = by === "again" ? args : ["doctor", "--fix"]
      const { code, signal, stderr, stdout } = yield* runCommand(load, words, trouble, placeOf(load))
      const said = `${stdout.toString().trim()} ${stderr.trim()}`.slice(0, 300)
      load.world.chronicle.note(task, `settled by beat ${words[0]}: ${code ?? signal} ${by === "again" ? said : ""}`)
      // The store may be locked for a while.
      const isLocked = by === "doctor" && code === 1 && attempt <= doctorAttempts && isOpen(load, task)
      if (code !== null && code !== 74 && !isLocked) return
      yield* Effect.sleep(100)
    }
  })

const toldBy = ({ code }: Finished): MergeStep["told"] => (code === null ? "killed" : code === 0 ? "done" : "refused")

/** Carries out one merge or undo, and compares the result with plain git. */
const applied = (
  load: Load,
  shop: string,
  task: string,
  args: ReadonlyArray<string>,
  step: StepPlan & { readonly what: "merge" | "undo" },
  expected: Pick<MergeStep, "to" | "back"> & { readonly before: ShopState; readonly check: boolean }
) =>
  Effect.gen(function* () {
    const { chronicle } = load.world
    const { before, check, ...wanted } = expected
    chronicle.note(
      task,
      `to ${step.what} at ${before.head.slice(0, 12)}: beat ${args.join(" ")} ${JSON.stringify(step.trouble)}`
    )
    const finished = yield* runStep(load, args, step.trouble)
    const { code, signal, stderr, stdout } = finished
    chronicle.note(
      task,
      `beat ${step.what}: ${code ?? signal} ${`${stdout.toString().trim()} ${stderr.trim()}`.slice(0, 300)}`
    )
    if (code === null) {
      chronicle.did(`${step.what} killed`)
      yield* settleWith(load, task, args, step.settle)
    }
    const after = shopState(shop)
    const stored = newest(load, task)
    const tested = check ? stored?.check_task : null
    const found = mergeProblems({
      ...wanted,
      before,
      after,
      from: treeFiles(shop, before.head) ?? new Map(),
      now: treeFiles(shop, "HEAD") ?? new Map(),
      parents: git(shop, "log", "-1", "--format=%P")?.trim().split(" ").filter(Boolean) ?? [],
      told: toldBy(finished),
      mayRefuse: code === 74 || (check && (tested == null || load.store.task(tested)?.status !== "completed")),
      stored
    })
    for (const problem of found) chronicle.breach(mergeInvariant, task, `${step.what}: ${problem}`)
    chronicle.did(`${step.what} ${after.head === before.head ? "without a change" : "done"}`)
  })

/** Tasks whose work is in the repository, by plain SQL. */
const sealedTasks = ({ store, world }: Load) =>
  store.rows<{ id: string; commit: string }>(
    `SELECT tasks.id, results."commit" FROM tasks JOIN results ON results.task_id = tasks.id JOIN workspaces ON workspaces.id = results.workspace_id
     WHERE workspaces.home = ? AND tasks.status IN ('completed', 'failed', 'cancelled') AND tasks.agent = 'shell'
       AND tasks.idempotency_key LIKE 'i%' ORDER BY tasks.seq`,
    world.shop ?? ""
  )

const merge = (load: Load, shop: string, step: StepPlan & { readonly what: "merge" }) =>
  Effect.gen(function* () {
    const [task] = rotated(sealedTasks(load), step.pick)
    if (task === undefined) return false
    const head = commitOf(shop, "HEAD") ?? ""
    const base = treeFiles(shop, head) ?? new Map()
    const merged = mergedFiles(shop, head, task.commit)
    const touched = merged === null ? [] : Array.from(base.keys()).filter((path) => base.get(path) !== merged.get(path))
    const way = step.inTheWay ? rotated(touched, step.pick)[0] : undefined
    const wayFile = way === undefined ? null : join(shop, way)
    const was = wayFile === null ? null : readFileSync(wayFile)
    if (wayFile !== null) appendFileSync(wayFile, "mine\n")
    const fails = step.check && merged?.has(brokenFile) === true
    const args = ["merge", task.id, ...(step.check ? ["--check", checkCommand] : [])]
    yield* applied(load, shop, task.id, args, step, {
      before: shopState(shop),
      to: fails || way !== undefined ? null : merged,
      back: null,
      check: step.check
    })
    if (way !== undefined && was !== null) git(shop, "checkout", "-q", "--", way)
    return true
  })

const undo = (load: Load, shop: string, step: StepPlan & { readonly what: "undo" }) =>
  Effect.gen(function* () {
    const before = shopState(shop)
    const rows = load.store.rows<MergeRow & { task_id: string }>(
      "SELECT * FROM merges WHERE home = ? AND state = 'merged' ORDER BY merged = ? DESC, seq DESC",
      shop,
      before.head
    )
    // Mostly the one that can be undone.
    const row = step.pick < 0.8 ? rows[0] : rows[rows.length - 1]
    if (row === undefined) return false
    const isOnTop = row.merged === before.head
    yield* applied(load, shop, row.task_id, ["merge", "--undo", row.task_id], step, {
      before,
      to: isOnTop ? treeFiles(shop, row.before) : null,
      back: row.before,
      check: false
    })
    return true
  })

const dryRun = (load: Load, shop: string, { pick }: StepPlan) =>
  Effect.gen(function* () {
    const [task] = rotated(sealedTasks(load), pick)
    if (task === undefined) return false
    const before = JSON.stringify(git(shop, "for-each-ref", "refs/heads", "refs/backbeat/merge"))
    const state = shopState(shop)
    yield* runCommand(load, ["merge", task.id, "--dry-run"], null, placeOf(load))
    const after = shopState(shop)
    const names = JSON.stringify(git(shop, "for-each-ref", "refs/heads", "refs/backbeat/merge"))
    const same = (one: ShopState, other: ShopState) =>
      JSON.stringify([one.head, one.names, [...one.index], [...one.files]]) ===
      JSON.stringify([other.head, other.names, [...other.index], [...other.files]])
    if (names !== before || !same(state, after)) {
      load.world.chronicle.breach(mergeInvariant, task.id, "merge --dry-run has changed something")
    }
    load.world.chronicle.did("dry-run done")
    return true
  })

const carryOut = (load: Load, shop: string, step: StepPlan) => {
  switch (step.what) {
    case "merge":
      return merge(load, shop, step)
    case "undo":
      return undo(load, shop, step)
    case "dry-run":
      return dryRun(load, shop, step)
    case "reclaim":
      return reclaimStep(load, shop, step)
    case "restore":
      return restoreStep(load, shop, step)
  }
}

/** One step after the other, for as long as there is load. One that finds nothing to do comes again later. */
export const merger = (load: Load) =>
  Effect.gen(function* () {
    const { chronicle, shop } = load.world
    while (shop !== null && !load.over) {
      yield* load.world.up.await
      // Kinds that have not come yet are first: on a slow machine few steps get their turn.
      const rare = load.steps.findIndex(({ what }) => chronicle.work[`${what} done`] === undefined)
      const [step] = load.steps.splice(Math.max(0, rare), 1)
      if (step === undefined) return
      if (yield* carryOut(load, shop, step)) continue
      load.steps.push(step)
      yield* Effect.sleep(200)
    }
  }).pipe(
    Effect.catchAllCause((cause) =>
      Effect.sync(() =>
        load.world.chronicle.breach("no defect", null, `the merges of the run have failed: ${pretty(cause)}`)
      )
    )
  )
