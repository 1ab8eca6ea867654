/** A workspace of a large repository next to `git worktree add` and `git clone --shared`: time to cut and to seal, and disk. */
import { execFileSync } from "node:child_process"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { bundled } from "../inside/bundle.mjs"
import { another, launcher, now, roomyScratch } from "../measure.mjs"

const git = (directory, ...args) =>
  execFileSync("git", ["-C", directory, "-c", "gc.auto=0", ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"]
  })

/** Directories of 250 files, each of about 5 kB, in one pack as after a clone. */
const makeRepository = (home, count) => {
  git(home, "init", "--quiet", "--initial-branch=main")
  git(home, "config", "user.name", "Ann")
  git(home, "config", "user.email", "ann@example.com")
  for (let at = 0; at < count; at++) {
    const directory = join(home, `d${Math.floor(at / 250)}`)
    if (at % 250 === 0) mkdirSync(directory)
    writeFileSync(join(directory, `f${at % 250}.txt`), `file ${at}\n${`line of file ${at % 97}\n`.repeat(300)}`)
  }
  git(home, "add", "--all")
  git(home, "commit", "--quiet", "-m", "start")
  git(home, "repack", "-a", "-d", "--quiet")
}

/** Blocks of `.git`, in megabytes; links to objects of another repository count as nothing. */
const ownMegabytes = (home, path) => {
  const kilobytes = (...paths) =>
    Number(
      execFileSync("du", ["-sck", ...paths], { encoding: "utf8" })
        .trim()
        .split("\n")
        .at(-1)
        ?.split("\t")[0] ?? 0
    )
  // `du` counts a file with two names once.
  return (kilobytes(join(home, ".git"), join(path, ".git")) - kilobytes(join(home, ".git"))) / 1024
}

/** The repository, a workspace of it and a work tree or a clone, each with the files and a pack of them. */
const bytesFor = (count) => count * 50_000

export const workspace = async ({ ends, quick, report, say }) => {
  const end = ends()
  const program = await bundled("workspace")
  const count = quick ? 5000 : 50_000
  const rounds = 3
  const { directory, remove, where } = roomyScratch(bytesFor(count))
  say(`  (${where})`)
  try {
    const home = join(directory, "home")
    mkdirSync(home)
    makeRepository(home, count)
    const { node } = launcher(directory, {
      PATH: process.env.PATH,
      HOME: directory,
      BACKBEAT_HOME: join(directory, "state")
    })
    const path = join(directory, "own", "home")
    const cuts = []
    const seals = []
    const worktrees = []
    const clones = []
    const timed = (into, run) => {
      const began = now()
      run()
      into.push(now() - began)
    }
    for (let round = 0; another(round, rounds, end); round++) {
      const measured = JSON.parse((await node([program, home, path, "1"])).stdout)
      cuts.push(...measured.cuts)
      seals.push(...measured.seals)
      const tree = join(directory, "tree")
      timed(worktrees, () => git(home, "worktree", "add", "--quiet", "--detach", tree))
      git(home, "worktree", "remove", "--force", tree)
      const clone = join(directory, "clone")
      timed(clones, () => git(directory, "clone", "--quiet", "--shared", home, clone))
      rmSync(clone, { recursive: true, force: true })
    }
    const title = `${count.toLocaleString("en")} files`
    report({
      name: `cut of a workspace, ${title}`,
      unit: "ms",
      beat: cuts,
      floors: { "git worktree add": worktrees, "git clone --shared": clones },
      note: where,
      goal: { text: "<= 1.2x git worktree add", of: "git worktree add", limit: 1.2 }
    })
    report({
      name: `seal of 40 changed files, ${title}`,
      unit: "ms",
      beat: seals,
      goal: { text: "<= 500 ms", limit: 500 }
    })
    report({
      name: `disk in addition to the files, ${title}`,
      unit: "MB",
      beat: [ownMegabytes(home, path)],
      goal: { text: "<= 10 MB", limit: 10 }
    })
  } finally {
    remove()
  }
}
