/**
 * Cuts a workspace: a separate repository whose objects are links to the home's, with its branches, settings and hooks.
 * It is made under another name and renamed once it is whole, so that a killed cut leaves nothing that looks like one.
 */
import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import { dirname, join } from "node:path"
import * as Effect from "effect/Effect"
import { branchOf, type CommitId, type Workspace } from "../../../domain/workspace/Workspace.ts"
import { WorkspaceFailed } from "../../../domain/workspace/WorkspaceErrors.ts"
import { failpoint } from "../../../services/Failpoints.ts"
import { codeOf } from "../files/SystemCode.ts"
import { keepRules } from "./CleanGit.ts"
import { attemptGit, git, gitList, gitText } from "./GitProgram.ts"
import { entriesOf, linkObjects } from "./HomeObjects.ts"
import { commonOf, writeRules } from "./HomeRules.ts"
import { hasRepository } from "./WorkspacePlaces.ts"
import { obstacleOf } from "./WorkTreePaths.ts"

/** A repository of 50,000 files takes seconds; a slow disk may take longer. */
const checkoutMs = 20 * 60_000

/** The file in a workspace's `.git` that holds its id. */
const markOf = (path: string): string => join(path, ".git", "backbeat")

/** Executable hooks that are not samples: the agent's commits obey the rules that the user's obey. */
const copyHooks = async (from: string, to: string): Promise<void> => {
  await fs.mkdir(to, { recursive: true })
  for (const entry of await entriesOf(from)) {
    if (entry.name.endsWith(".sample")) continue
    await fs.cp(join(from, entry.name), join(to, entry.name), { recursive: true, dereference: true })
  }
}

/** A link stays a link, whatever its target is. */
const copyNew = async (from: string, to: string): Promise<void> => {
  const link = await fs.readlink(from).catch(() => null)
  if (link !== null) return await fs.symlink(link, to)
  await fs.copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
}

/** Untracked files that the user wants in every workspace, such as `.env`: copied, so that writing to one leaves the user's. */
const copyIncluded = Effect.fn("cut.include")(function* (home: string, to: string, patterns: ReadonlyArray<string>) {
  const listed = yield* attemptGit(() => fs.readFile(join(to, ".worktreeinclude"), "utf8").catch(() => ""))
  const wanted = [...listed.split("\n"), ...patterns].filter((line) => line.trim() !== "" && !line.startsWith("#"))
  if (wanted.length === 0) return
  const excludes = wanted.flatMap((pattern) => ["-x", pattern])
  const candidates = yield* gitList({ directory: home, args: ["ls-files", "-z", "--others", "--ignored", ...excludes] })
  if (candidates.length === 0) return
  // Only what git ignores anyway: anything else is the user's unfinished work.
  const { stdout } = yield* git({
    directory: home,
    args: ["check-ignore", "-z", "--stdin"],
    stdin: candidates.join("\0"),
    accepts: [0, 1]
  })
  const ignored = stdout
    .toString("utf8")
    .split("\0")
    .filter((name) => name !== "")
  yield* attemptGit(async () => {
    for (const name of ignored) {
      // A link in the commit must not lead the copy to another place.
      if ((await obstacleOf(to, name)) !== null) continue
      await fs.mkdir(dirname(join(to, name)), { recursive: true })
      await copyNew(join(home, name), join(to, name)).catch((error: unknown) => {
        if (codeOf(error) !== "EEXIST") throw error
      })
    }
  })
})

/** Submodules from the user's own copies: no network, and the URLs in the configuration stay. A failure leaves one empty. */
const fillSubmodules = Effect.fn("cut.submodules")(function* (gitDirectory: string, to: string) {
  const found = yield* attemptGit(() =>
    fs.access(join(to, ".gitmodules")).then(
      () => true,
      () => false
    )
  )
  if (!found) return
  const names = yield* gitText({
    directory: to,
    args: ["config", "--file", ".gitmodules", "--name-only", "--get-regexp", "^submodule\\..*\\.path$"],
    accepts: [0, 1]
  })
  const settings: Array<string> = []
  for (const line of names.split("\n").filter((name) => name !== "")) {
    const name = line.slice("submodule.".length, -".path".length)
    const module = join(gitDirectory, "modules", name)
    const there = yield* attemptGit(() =>
      fs.access(module).then(
        () => true,
        () => false
      )
    )
    if (there) settings.push("-c", `submodule.${name}.url=${module}`)
  }
  if (settings.length === 0) return
  yield* git({
    directory: to,
    args: [
      ...settings,
      "-c",
      "protocol.file.allow=always",
      "submodule",
      "--quiet",
      "update",
      "--init",
      "--recursive",
      "--force"
    ],
    patienceMs: checkoutMs
  }).pipe(Effect.catchAll((error) => Effect.logWarning(`a submodule of ${to} stays empty: ${error.detail}`)))
})

const build = Effect.fn("cut.build")(function* (
  workspace: Workspace,
  commit: CommitId,
  to: string,
  include: ReadonlyArray<string>
) {
  const { home } = workspace
  const gitDirectory = yield* commonOf(home)
  const own = join(to, ".git")
  const format = yield* gitText({ directory: home, args: ["rev-parse", "--show-object-format"] })
  yield* attemptGit(() => fs.mkdir(dirname(to), { recursive: true, mode: 0o700 }))
  yield* git({ directory: null, args: ["init", "--quiet", "--template=", `--object-format=${format}`, to] })
  yield* failpoint("cut.begun")
  yield* attemptGit(() => linkObjects(join(gitDirectory, "objects"), join(own, "objects")))
  yield* failpoint("cut.linked")
  const refs = yield* gitText({
    directory: home,
    args: ["for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags", "refs/remotes"]
  })
  // Git lists names in the order in which it looks them up. A symbolic one such as origin/HEAD is stored as what it means now.
  const packed = refs === "" ? "" : `${refs}\n`
  yield* attemptGit(() => fs.writeFile(join(own, "packed-refs"), `# pack-refs with: sorted \n${packed}`))
  yield* writeRules(home, gitDirectory, own)
  const hooks = yield* gitText({
    directory: home,
    args: ["rev-parse", "--path-format=absolute", "--git-path", "hooks"],
    variables: { GIT_CONFIG_COUNT: "0" }
  })
  yield* attemptGit(() => copyHooks(hooks, join(own, "hooks")))
  yield* failpoint("cut.configured")
  yield* git({ directory: to, args: ["symbolic-ref", "HEAD", `refs/heads/${branchOf(workspace.id)}`] })
  yield* git({ directory: to, args: ["update-ref", `refs/heads/${branchOf(workspace.id)}`, commit] })
  yield* git({ directory: to, args: ["read-tree", "-mu", "HEAD"], patienceMs: checkoutMs })
  yield* keepRules(own, to)
  yield* failpoint("cut.filled")
  yield* fillSubmodules(gitDirectory, to)
  yield* copyIncluded(home, to, include)
  yield* attemptGit(() => fs.writeFile(markOf(to), `${workspace.id}\n`))
  yield* failpoint("cut.whole")
})

/** Whether the directory is a whole workspace of this id. */
export const isWhole = (workspace: Workspace): Effect.Effect<boolean> =>
  Effect.promise(() => fs.readFile(markOf(workspace.path), "utf8").catch(() => "")).pipe(
    Effect.map((text) => text.trim() === workspace.id && hasRepository(workspace.path))
  )

export const cut = Effect.fn("WorkspaceGit.cut")(function* (
  workspace: Workspace,
  commit: CommitId,
  claimId: string,
  include: ReadonlyArray<string>
) {
  if (yield* isWhole(workspace)) return
  const temporary = `${workspace.path}.tmp-${claimId}`
  const failed = (detail: string) => new WorkspaceFailed({ step: "cut", path: workspace.path, detail })
  yield* Effect.gen(function* () {
    yield* attemptGit(() => fs.rm(temporary, { recursive: true, force: true }))
    yield* build(workspace, commit, temporary, include)
    yield* attemptGit(() => fs.rename(temporary, workspace.path))
  }).pipe(
    Effect.onError(() => Effect.promise(() => fs.rm(temporary, { recursive: true, force: true }).catch(() => {}))),
    Effect.mapError(({ detail }) => failed(detail))
  )
  yield* failpoint("cut.renamed")
})
