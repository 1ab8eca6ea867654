/** Merges and diffs by the `git` program. */
import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MergeFailed } from "../../../domain/merge/MergeErrors.ts"
import type { CommitId, Workspace } from "../../../domain/workspace/Workspace.ts"
import { failpoint } from "../../../services/Failpoints.ts"
import { type BranchState, type ChangedFile, type DiffForm, type Fit, MergeGit } from "../../../services/MergeGit.ts"
import { Paths } from "../../../services/Paths.ts"
import { GitFailed, git, gitList, gitText } from "./GitProgram.ts"
import { hasGh, openPullRequest, push, remoteOf } from "./PullRequests.ts"
import { page } from "./page.ts"
import { putBack, removeLocks, unstage } from "./putBack.ts"
import { nameIn, snapshotTree } from "./SealWorkspace.ts"
import { editedIn, inTheWay, reversed, stepFiles } from "./StepFiles.ts"
import { branchRef, stepForward, strayed } from "./StepForward.ts"
import { knowWorkspaces } from "./WorkspacePlaces.ts"

const failing =
  (repository: string) =>
  <A, R>(effect: Effect.Effect<A, GitFailed, R>): Effect.Effect<A, MergeFailed, R> =>
    Effect.mapError(effect, ({ detail }) => new MergeFailed({ repository, detail }))

/** What git said when it would not, or null. */
const asked = <R>(effect: Effect.Effect<unknown, GitFailed, R>) =>
  effect.pipe(
    Effect.as(null),
    Effect.catchTag("GitFailed", ({ detail }) => Effect.succeed(detail))
  )

const branch = Effect.fn("MergeGit.branch")(function* (home: string, name: string) {
  const ref = branchRef(name)
  const found = yield* git({ directory: home, args: ["rev-parse", "--verify", "--quiet", ref], accepts: [0, 1, 128] })
  if (found.code !== 0) return null
  const listed = yield* gitText({ directory: home, args: ["worktree", "list", "--porcelain"] })
  const entries = listed.split("\n\n").map((entry) => entry.split("\n"))
  const checkedOut = entries.find((lines) => lines.includes(`branch ${ref}`))
  const tree = checkedOut?.find((line) => line.startsWith("worktree "))?.slice("worktree ".length) ?? null
  const state: BranchState = { commit: yield* nameIn(found.stdout.toString("utf8")), tree }
  return state
})

const tried = Effect.fn("MergeGit.fit")(function* (
  home: string,
  ours: CommitId,
  theirs: CommitId,
  { base, baseKind }: Pick<Workspace, "base" | "baseKind">
) {
  // The user's uncommitted files were part of such a base: only what the agent changed is brought in.
  const common =
    baseKind !== "tree" &&
    (yield* git({ directory: home, args: ["merge-base", ours, theirs], accepts: [0, 1] })).code === 0
  const mine = common ? ours : yield* committed(home, `${ours}^{tree}`, [base], "merge base\n")
  const { code, stdout } = yield* git({
    directory: home,
    args: ["merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", mine, theirs],
    accepts: [0, 1]
  })
  const [tree = "", ...files] = stdout.toString("utf8").split("\0")
  const named = files.filter((file) => file !== "")
  return code === 0
    ? ({ _tag: "Fits", tree: yield* nameIn(tree) } satisfies Fit)
    : ({ _tag: "Conflicts", files: Array.from(new Set(named)) } satisfies Fit)
})

/** A repository without a user name still gets its commit. */
const committed = Effect.fn("MergeGit.committed")(function* (
  home: string,
  tree: string,
  parents: ReadonlyArray<string>,
  message: string
) {
  const settingOf = (key: string) => gitText({ directory: home, args: ["config", key], accepts: [0, 1] })
  const name = yield* settingOf("user.name")
  const email = yield* settingOf("user.email")
  const variables = {
    ...(name === "" ? { GIT_AUTHOR_NAME: "Backbeat", GIT_COMMITTER_NAME: "Backbeat" } : {}),
    ...(email === "" ? { GIT_AUTHOR_EMAIL: "backbeat@localhost", GIT_COMMITTER_EMAIL: "backbeat@localhost" } : {})
  }
  const named = yield* gitText({ directory: home, args: ["rev-parse", "--verify", tree] })
  const parentWords = parents.flatMap((parent) => ["-p", parent])
  return yield* nameIn(
    yield* gitText({ directory: home, args: ["commit-tree", named, ...parentWords], stdin: message, variables })
  )
})

const changedSince = (edited: ReadonlyArray<string>) =>
  `these files have changed since: ${edited.slice(0, 5).join(", ")}`

const formWords: Readonly<Record<DiffForm, ReadonlyArray<string>>> = {
  patch: ["--patch"],
  stat: ["--stat"],
  names: ["--name-only"]
}

/**
 * Drivers of a repository run programs, and what is compared is the work of an agent. `git apply` takes no patch without prefixes
 * (`diff.noprefix`) and no words about a submodule (`diff.submodule`).
 */
const safeDiff = [
  "diff",
  "--no-ext-diff",
  "--no-textconv",
  "--find-renames",
  "--src-prefix=a/",
  "--dst-prefix=b/",
  "--submodule=short"
]

const counted = (text: string | undefined) => (text === "-" || text === undefined ? null : Number(text))

const make = Effect.gen(function* () {
  const paths = yield* Paths
  knowWorkspaces(paths.workspaces)

  return MergeGit.of({
    place: Effect.fn("MergeGit.place")((directory) =>
      Effect.all({
        top: gitText({ directory, args: ["rev-parse", "--show-toplevel"] }),
        common: gitText({ directory, args: ["rev-parse", "--path-format=absolute", "--git-common-dir"] })
      }).pipe(
        Effect.flatMap(({ common, top }) =>
          Effect.promise(async () => ({
            top: await fs.realpath(top).catch(() => top),
            common: await fs.realpath(common).catch(() => common)
          }))
        ),
        failing(directory)
      )
    ),

    current: Effect.fn("MergeGit.current")((tree) =>
      git({ directory: tree, args: ["symbolic-ref", "--quiet", "--short", "HEAD"], accepts: [0, 1] }).pipe(
        Effect.map(({ code, stdout }) => (code === 0 ? stdout.toString("utf8").trim() : null)),
        failing(tree)
      )
    ),

    branch: (home, name) => branch(home, name).pipe(failing(home)),
    fit: (home, ours, theirs, cut) => tried(home, ours, theirs, cut).pipe(failing(home)),

    treeOf: Effect.fn("MergeGit.treeOf")((repository, commit) =>
      gitText({ directory: repository, args: ["rev-parse", "--verify", `${commit}^{tree}`] }).pipe(
        Effect.flatMap(nameIn),
        failing(repository)
      )
    ),

    commit: (home, tree, parents, message) => committed(home, tree, parents, message).pipe(failing(home)),

    move: Effect.fn("MergeGit.move")((home, ref, to, from) =>
      asked(git({ directory: home, args: ["update-ref", ref, to, ...(from === null ? [] : [from])] })).pipe(
        Effect.map((problem) => problem === null)
      )
    ),

    record: Effect.fn("MergeGit.record")((tree, ref, name) =>
      Clock.currentTimeMillis.pipe(
        Effect.flatMap((at) => snapshotTree(tree, join(paths.home, `index-${name}`), at)),
        Effect.flatMap((commit) => git({ directory: tree, args: ["update-ref", ref, commit] })),
        Effect.asVoid,
        failing(tree)
      )
    ),

    inTheWay: Effect.fn("MergeGit.inTheWay")((tree, from, to) =>
      stepFiles(tree, from, to).pipe(
        Effect.flatMap((files) => inTheWay(tree, from, files)),
        failing(tree)
      )
    ),

    apply: Effect.fn("MergeGit.apply")((tree, name, from, to, recorded) =>
      stepForward(tree, name, from, to, recorded).pipe(failing(tree))
    ),

    unlock: Effect.fn("MergeGit.unlock")((tree, refs, since) => Effect.ignore(removeLocks(tree, refs, since))),

    finish: Effect.fn("MergeGit.finish")((tree, name, from, to) =>
      Effect.gen(function* () {
        const elsewhere = yield* strayed(tree, name, from)
        if (elsewhere !== null) return elsewhere
        const files = yield* stepFiles(tree, from, to)
        // Where one of them was edited before git had begun, git refuses as it would have then.
        const edited = yield* editedIn(tree, from, files, to)
        yield* putBack(tree, from, files, edited)
        yield* failpoint("merge.putBack")
        return edited.length > 0 ? changedSince(edited) : yield* stepForward(tree, name, from, to, from)
      }).pipe(failing(tree))
    ),

    takeBack: Effect.fn("MergeGit.takeBack")((tree, name, from, to, again) =>
      Effect.gen(function* () {
        const files = yield* stepFiles(tree, from, to)
        const edited = yield* editedIn(tree, from, files, again ? to : null)
        if (edited.length > 0) {
          if (again) {
            yield* putBack(tree, from, files, edited)
            yield* unstage(tree, from, files, edited)
          }
          return changedSince(edited)
        }
        // Files of the user's that are as the undo would write them.
        const there = again ? [] : yield* inTheWay(tree, from, files)
        const elsewhere = yield* strayed(tree, name, from)
        if (elsewhere !== null) return elsewhere
        yield* putBack(tree, to, reversed(files))
        yield* failpoint("undo.putBack")
        const problem = yield* asked(git({ directory: tree, args: ["update-ref", branchRef(name), to, from] }))
        if (problem !== null) {
          yield* putBack(tree, from, files, there)
          yield* unstage(tree, from, files, there)
        }
        return problem
      }).pipe(failing(tree))
    ),

    forget: Effect.fn("MergeGit.forget")((home, refs) =>
      Effect.forEach(refs, (ref) => Effect.ignore(git({ directory: home, args: ["update-ref", "-d", ref] })), {
        discard: true
      })
    ),

    hasGh,
    remoteOf: (home, name) => remoteOf(home, name).pipe(failing(home)),
    push: (home, remote, name, commit) => push(home, remote, name, commit).pipe(failing(home)),
    openPullRequest: (request) => openPullRequest(request).pipe(failing(request.home)),

    changedFiles: Effect.fn("MergeGit.changedFiles")((repository, from, to) =>
      gitList({ directory: repository, args: [...safeDiff, "--numstat", "--no-renames", "-z", from, to, "--"] }).pipe(
        Effect.map((entries) =>
          entries.map((entry): ChangedFile => {
            const [insertions, deletions, ...path] = entry.split("\t")
            return { path: path.join("\t"), insertions: counted(insertions), deletions: counted(deletions) }
          })
        ),
        failing(repository)
      )
    ),

    has: Effect.fn("MergeGit.has")((repository, commit) =>
      git({ directory: repository, args: ["cat-file", "-e", `${commit}^{commit}`] }).pipe(
        Effect.as(true),
        Effect.orElseSucceed(() => false)
      )
    ),

    diff: Effect.fn("MergeGit.diff")((repository, from, to, { columns, form }) =>
      gitText({
        directory: repository,
        args: [
          ...safeDiff,
          ...(form === "stat" && columns !== null ? [`--stat=${columns}`] : formWords[form]),
          "--color=never",
          from,
          to,
          "--"
        ]
      }).pipe(
        Effect.mapError((error) =>
          error.reason === "long" && form === "patch"
            ? new GitFailed({
                ...error,
                detail: `${error.detail}. See its size with --stat, and its files with --name-only`
              })
            : error
        ),
        failing(repository)
      )
    ),

    page: (repository, text) => page(repository, text).pipe(failing(repository))
  })
})

export const layer = Layer.effect(MergeGit, make)
