/** Cuts and seals a workspace by the product's own code: `workspace.mjs HOME PATH ROUNDS` prints the milliseconds of both. */
import { execFileSync } from "node:child_process"
import { appendFileSync, rmSync } from "node:fs"
import { dirname, join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CommitId, type Workspace } from "../../src/domain/workspace/Workspace.ts"
import { WorkspaceId } from "../../src/domain/workspace/WorkspaceId.ts"
import * as NodePaths from "../../src/layers/node/files/Paths.ts"
import * as NodeWorkspaceGit from "../../src/layers/node/git/WorkspaceGit.ts"
import { WorkspaceGit } from "../../src/services/WorkspaceGit.ts"

const [home = "", path = "", rounds = "1"] = process.argv.slice(2)
const base = CommitId.make(execFileSync("git", ["-C", home, "rev-parse", "HEAD"], { encoding: "utf8" }).trim())

const workspace: Workspace = {
  id: WorkspaceId.make("b7n2k3v9q4ab"),
  home,
  subdirectory: "",
  base,
  baseKind: "head",
  path,
  slot: 1,
  state: "planned",
  mounted: null,
  kept: false,
  lastSeal: null,
  lastSealedAt: null,
  problem: null,
  trashPath: null,
  createdAt: 0,
  usedAt: 0
}

const measure = Effect.gen(function* () {
  const git = yield* WorkspaceGit
  const cuts: Array<number> = []
  const seals: Array<number> = []
  for (let round = 0; round < Number(rounds); round++) {
    rmSync(dirname(path), { recursive: true, force: true })
    const began = performance.now()
    yield* git.cut(workspace, base, `bench-${round}`, [])
    cuts.push(performance.now() - began)
    // Git's index has times in seconds for it: files that change within the second of the checkout make it read every file again,
    // which is five times the work of a seal. No agent is that fast.
    yield* Effect.sleep("1100 millis")
    // What an agent would leave: some files changed, some new.
    for (let file = 0; file < 20; file++) appendFileSync(join(path, `d0/f${file}.txt`), "changed\n")
    for (let file = 0; file < 20; file++) appendFileSync(join(path, `new${file}.txt`), `${round}\n`)
    const sealing = performance.now()
    yield* git.seal({
      workspace,
      ref: "refs/backbeat/task/bench",
      message: "bench\n",
      at: 0,
      claimId: `bench-${round}`
    })
    seals.push(performance.now() - sealing)
  }
  return { cuts, seals }
})

const layer = NodeWorkspaceGit.layer.pipe(Layer.provide(NodePaths.layer))
process.stdout.write(JSON.stringify(await Effect.runPromise(Effect.provide(Effect.orDie(measure), layer))))
