/**
 * Breaks one promise at a time, in a build made for that, and requires that the torture run reports each; unbroken it must
 * report nothing. `node test/torture/mutations.mjs [NAME...] [--seed N]`.
 */
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

/** The violation that must be among those reported: not just any. */
const expected = {
  "over-limit": "at most maxWorkers at once",
  "start-blocked": "a task starts when it may",
  "double-start": "an agent starts at most once",
  "requeue-started": "what was started is never put back",
  "no-adopt": "every task ends",
  "drop-chunk": "every byte is stored, in order",
  "skip-drain": "every byte is stored, in order",
  "trust-exit-code": "success is proven",
  "signal-is-success": "success is proven",
  "lost-is-success": "the end agrees with what happened",
  "skip-outbox": "one event for each end",
  "keep-worker": "nothing remains",
  "change-after-end": "an end never changes",
  "skip-sweep": "nothing remains",
  "no-cascade": "every task ends",
  "no-retry": "failed work is tried again",
  "keep-edges": "a task starts when it may",
  "silent-pipeline": "a pipeline ends with its last step",
  "forget-run": "a schedule fires each time once",
  "early-success": "an answer comes after the commit",
  "early-cancel": "an answer comes after the commit",
  "edit-started": "an edit is whole, and what runs",
  "no-checkpoint": "a task that has run leaves a checkpoint"
}

const root = resolve(import.meta.dirname, "../..")
const source = readFileSync(join(root, "src/domain/Mutation.ts"), "utf8")
const known = Array.from(source.matchAll(/^ {2}\| "([a-z-]+)"$/gm), ([, name]) => name)

const words = process.argv.slice(2)
const seedAt = words.indexOf("--seed")
const seed = seedAt < 0 ? 1 : Number(words[seedAt + 1])
const named = (seedAt < 0 ? words : words.slice(0, seedAt)).filter((word) => known.includes(word))
const wanted = named.length > 0 ? named : known

/** A fault that a mutation needs may not have come up in so short a time: then longer, under another seed. */
const tries = [8, 15, 30]

const built = spawnSync(process.execPath, ["build.mjs", "--mutable", "dist-mutable"], { cwd: root, stdio: "inherit" })
if (built.status !== 0) process.exit(1)
const beat = join(root, "dist-mutable", "beat.cjs")

const run = (mutation, seconds, seed) =>
  new Promise((done) => {
    const directory = mkdtempSync(join(tmpdir(), "beat-mutation-"))
    const environment = { ...process.env, TMPDIR: directory }
    if (mutation !== null) environment.BACKBEAT_MUTATION = mutation
    const began = Date.now()
    const args = [beat, "doctor", "--torture", `${seconds}s`, "--seed", String(seed), "--json"]
    const child = spawn(process.execPath, args, { env: environment, stdio: ["ignore", "pipe", "ignore"] })
    let output = ""
    child.stdout.on("data", (text) => {
      output += text
    })
    child.once("close", (code) => {
      rmSync(directory, { recursive: true, force: true })
      const took = Math.round((Date.now() - began) / 1000)
      try {
        const report = JSON.parse(output)
        if (report.violations === undefined) throw new Error("no report")
        done({ code, took, violations: report.violations, kills: report.kills })
      } catch {
        done({ code, took, violations: [], kills: 0, problem: output.slice(0, 300) })
      }
    })
  })

const tally = (violations) => {
  const counts = new Map()
  for (const { invariant } of violations) counts.set(invariant, (counts.get(invariant) ?? 0) + 1)
  return Array.from(counts, ([invariant, count]) => `${invariant} (${count})`).join(", ")
}

const isReported = (mutation, { code, violations }) =>
  code === 1 && violations.some(({ invariant }) => invariant === expected[mutation])

let failures = 0
const control = await run(null, 8, seed)
if (control.code !== 0) {
  failures += 1
  process.stdout.write(`unbroken           FAILED: ${control.problem ?? ""} ${JSON.stringify(control.violations[0])}\n`)
} else process.stdout.write(`unbroken           nothing reported, ${control.kills} kills, ${control.took} s\n`)

for (const mutation of wanted) {
  let found = { code: 0, violations: [], took: 0 }
  for (const [index, seconds] of tries.entries()) {
    found = await run(mutation, seconds, seed + index)
    if (isReported(mutation, found)) break
  }
  const reported = isReported(mutation, found)
  if (!reported) failures += 1
  const missed = `NOT REPORTED ${found.problem ?? tally(found.violations)}`
  const what = reported ? `reported: ${tally(found.violations)}` : missed
  process.stdout.write(`${mutation.padEnd(18)} ${what}, ${found.took} s\n`)
}
process.stdout.write(failures === 0 ? "every broken promise was reported\n" : `${failures} FAILED\n`)
process.exit(failures === 0 ? 0 : 1)
