/**
 * Breaks one promise at a time, each in a build of its own, and requires that the torture run reports that promise. The
 * unbroken program must report nothing. `node test/torture/mutations.mjs [NAME...] [--seed N] [--rotate COUNT]`.
 */
import { spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { allMutations } from "../../build/mutant.mjs"

const root = resolve(import.meta.dirname, "../..")
const all = await allMutations()

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: "string", default: "1" }, rotate: { type: "string" } }
})
const seed = Number(values.seed)
const unknown = positionals.filter((name) => !all.some((mutation) => mutation.name === name))
if (unknown.length > 0) {
  process.stderr.write(
    `there is no mutation ${unknown.join(", ")}: choose from ${all.map(({ name }) => name).join(", ")}\n`
  )
  process.exit(2)
}

/** The number of commits, so that each change checks the next few; the day where git cannot tell. */
const turn = () => {
  const counted = spawnSync("git", ["rev-list", "--count", "HEAD"], { cwd: root, encoding: "utf8" })
  const shallow = spawnSync("git", ["rev-parse", "--is-shallow-repository"], { cwd: root, encoding: "utf8" })
  const commits = Number(counted.stdout)
  return counted.status === 0 && shallow.stdout.trim() === "false" ? commits : Math.floor(Date.now() / 86_400_000)
}

const rotated = (count) => {
  const first = turn() * count
  return Array.from({ length: Math.min(count, all.length) }, (_, index) => all[(first + index) % all.length])
}

const named = all.filter(({ name }) => positionals.includes(name))
const wanted = values.rotate !== undefined ? rotated(Number(values.rotate)) : named.length > 0 ? named : all
process.stdout.write(`mutations: ${wanted.map(({ name }) => name).join(", ")}\n`)

/** The faults that a mutation needs may not come up in so short a time. The next run is longer, under another seed. */
const durations = [8, 15, 30, 30, 60]

const buildOf = (name) => {
  const directory = "dist-mutant"
  const built = spawnSync(process.execPath, ["build.mjs", "--mutation", name, directory], {
    cwd: root,
    stdio: "inherit"
  })
  if (built.status !== 0) process.exit(1)
  return join(root, directory, "beat.cjs")
}

/**
 * A run that reports the promise before its end is stopped there: what it would find after that changes nothing.
 */
const run = (beat, seconds, seed, promise, focus) =>
  new Promise((done) => {
    const directory = mkdtempSync(join(tmpdir(), "beat-mutation-"))
    const environment = { ...process.env, TMPDIR: directory }
    const began = Date.now()
    const args = [beat, "doctor", "--torture", `${seconds}s`, "--seed", String(seed), "--json"]
    if (focus !== undefined) args.push(`--${focus}`)
    const child = spawn(process.execPath, args, { env: environment, stdio: ["ignore", "pipe", "pipe"] })
    let output = ""
    let told = ""
    let early = false
    child.stderr.on("data", (text) => {
      told += text
      if (early || promise === undefined || !told.includes(`violation of '${promise}'`)) return
      early = true
      child.kill("SIGINT")
    })
    child.stdout.on("data", (text) => {
      output += text
    })
    child.once("close", (code) => {
      rmSync(directory, { recursive: true, force: true })
      const took = Math.round((Date.now() - began) / 1000)
      if (early) return done({ code: 1, took, violations: [{ invariant: promise }], kills: 0, shortfalls: "" })
      try {
        const report = JSON.parse(output)
        if (report.violations === undefined) throw new Error("no report")
        done({
          code,
          took,
          violations: report.violations,
          kills: report.kills,
          shortfalls: report.shortfalls.join("; ")
        })
      } catch {
        done({ code, took, violations: [], kills: 0, shortfalls: "", problem: output.slice(0, 300) })
      }
    })
  })

const tally = (violations) => {
  const counts = new Map()
  for (const { invariant } of violations) counts.set(invariant, (counts.get(invariant) ?? 0) + 1)
  return Array.from(counts, ([invariant, count]) => `${invariant} (${count})`).join(", ")
}

const isReported = ({ promise }, { code, violations }) =>
  code === 1 && violations.some(({ invariant }) => invariant === promise)

let failures = 0
// A rotation in CI follows a torture run of the unbroken program, and a name asks for one mutation.
if (values.rotate === undefined && named.length === 0) {
  const control = await run(buildOf(""), durations[0], seed)
  if (control.code !== 0) {
    failures += 1
    process.stdout.write(
      `unbroken           FAILED: ${control.problem ?? ""} ${tally(control.violations)} ${control.shortfalls}\n`
    )
  } else process.stdout.write(`unbroken           nothing reported, ${control.kills} kills, ${control.took} s\n`)
}

for (const mutation of wanted) {
  const beat = buildOf(mutation.name)
  let found = { code: 0, violations: [], took: 0 }
  for (const [index, seconds] of durations.entries()) {
    found = await run(beat, seconds, Number(mutation.seed ?? seed) + index, mutation.promise, mutation.focus)
    if (isReported(mutation, found)) break
  }
  const reported = isReported(mutation, found)
  if (!reported) failures += 1
  const missed = `NOT REPORTED ${found.problem ?? tally(found.violations)}`
  const what = reported ? `reported: ${tally(found.violations)}` : missed
  process.stdout.write(`${mutation.name.padEnd(18)} ${what}, ${found.took} s\n`)
}
process.stdout.write(failures === 0 ? "every broken promise was reported\n" : `${failures} FAILED\n`)
process.exit(failures === 0 ? 0 : 1)
