/**
 * `npm run week`: a week of queued work in minutes. Three accounts whose windows are scaled (5 hours are 20 seconds), tasks of
 * several steps with dependencies, a budget for half of what they cost that is raised when it is spent, and workers that are
 * killed on the way. Prints a table, and exits with 1 where a task failed by a limit or a budget, a step was done or counted
 * twice, more was spent than the budget allows, or more was refused than what was in flight and one probe for each window.
 *
 *   npm run week -- [--tasks 60] [--minutes 8] [--keep]
 */
import { spawn } from "node:child_process"
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import Database from "better-sqlite3"

const words = process.argv.slice(2)
const option = (name, otherwise) => (words.includes(name) ? Number(words[words.indexOf(name) + 1]) : otherwise)
const perAccount = Math.ceil(option("--tasks", 60) / 3)
const mostMs = option("--minutes", 8) * 60_000
const steps = 2
const windowMs = 20_000
const requests = 10
const concurrency = 4
const killEveryMs = 12_000
/** US dollars for each step. */
const stepCost = 0.05
const wholeCost = perAccount * 3 * steps * stepCost
const budgeted = Math.max(1.5, Math.round(wholeCost * 50) / 100)

const beat = resolve(import.meta.dirname, "../dist/beat.cjs")
const home = mkdtempSync(join(tmpdir(), "beat-week-"))
const state = join(home, "state")
const bin = join(home, "bin")
mkdirSync(bin)
copyFileSync(resolve(import.meta.dirname, "../test/system/limitedClaude.cjs"), join(bin, "claude"))
chmodSync(join(bin, "claude"), 0o755)

const accounts = ["one", "two", "three"].map((name) => {
  const directory = join(home, `account-${name}`)
  mkdirSync(directory)
  return { name, directory }
})

const environmentOf = (account) => ({
  PATH: `${bin}:${process.env.PATH}`,
  HOME: home,
  BACKBEAT_HOME: state,
  BACKBEAT_MAX_CONCURRENCY: String(concurrency),
  BACKBEAT_MEMORY_RESERVE_BYTES: "0",
  LIMITED_SPENDS: "1",
  LIMITED_REQUESTS: String(requests),
  LIMITED_WINDOW_MS: String(windowMs),
  LIMITED_HOME: account.directory,
  ANTHROPIC_API_KEY: `sk-${account.name}`
})

const children = new Set()
const start = (args, account) => {
  const child = spawn(process.execPath, [beat, ...args], {
    env: environmentOf(account),
    stdio: ["ignore", "pipe", "pipe"]
  })
  children.add(child)
  let text = ""
  child.stdout.on("data", (data) => {
    text += data
  })
  child.stderr.on("data", () => undefined)
  const done = new Promise((finish) => {
    child.once("close", (code) => {
      children.delete(child)
      finish({ code, text: text.trim() })
    })
  })
  return { child, done }
}

/** Read by its own connection, which is closed immediately: locks are per process, and this one writes nothing. */
const rows = (text) => {
  const database = new Database(join(state, "backbeat.db"), { readonly: true, timeout: 5000 })
  try {
    return database.prepare(text).all()
  } finally {
    database.close()
  }
}

const journalOf = ({ directory }) =>
  readFileSync(join(directory, "journal"), "utf8")
    .trim()
    .split("\n")
    .map((line) => {
      const [at, session, what] = line.split(" ")
      return { at: Number(at), session, what }
    })

const pause = (ms) => new Promise((wake) => setTimeout(wake, ms))

const problems = []
try {
  const began = Date.now()
  const ids = []
  const budget = async (amount) => {
    const { code, text } = await start(["budget", "set", "week", "--month", `${amount}usd`], accounts[0]).done
    if (code !== 0) throw new Error(`beat budget set ended with ${code}: ${text}`)
  }
  await budget(budgeted)
  for (let at = 0; at < perAccount; at++) {
    for (const account of accounts) {
      const after = at % 5 === 4 ? ["--after", ids.at(-3)] : []
      const { code, text } = await start(["run", "-a", "claude", ...after, `steps ${steps}`], account).done
      if (code !== 0) throw new Error(`beat run ended with ${code}`)
      ids.push(text)
    }
  }
  process.stdout.write(
    `${ids.length} tasks of ${steps} steps on ${accounts.length} accounts, ${requests} requests in ${windowMs / 1000} s each.\n`
  )

  /** What the agents have used, by their own journals, and what the ledger counts. */
  const used = () => accounts.flatMap(journalOf).filter(({ what }) => what.startsWith("step-")).length * stepCost
  const counted = () => rows("SELECT coalesce(sum(cost_micro), 0) AS n FROM ledger")[0].n / 1_000_000
  let spentAtStop = null
  let quietSince = Date.now()

  let kills = 0
  let worker = start(["worker", "--keep"], accounts[0])
  let killedAt = Date.now()
  const open = () => rows("SELECT count(*) AS n FROM tasks WHERE status IN ('queued', 'running')")[0].n
  while (open() > 0 && Date.now() - began < mostMs) {
    await pause(500)
    if (rows("SELECT count(*) AS n FROM tasks WHERE status = 'running'")[0].n > 0) quietSince = Date.now()
    // Longer than a window: only the budget holds the tasks.
    if (spentAtStop === null && Date.now() - quietSince > windowMs * 1.5) {
      spentAtStop = used()
      await budget(wholeCost * 2)
    }
    if (Date.now() - killedAt < killEveryMs) continue
    worker.child.kill("SIGKILL")
    await worker.done
    kills += 1
    worker = start(["worker", "--keep"], accounts[0])
    killedAt = Date.now()
  }
  worker.child.kill("SIGTERM")
  await worker.done

  const statuses = rows("SELECT status, count(*) AS n FROM tasks GROUP BY status")
  const [{ parks, attempts }] = rows("SELECT sum(parks) AS parks, max(attempt) AS attempts FROM tasks")
  process.stdout.write("\naccount  windows  served  refused  allowed  twice\n")
  for (const account of accounts) {
    const journal = journalOf(account)
    const served = journal.filter(({ what }) => what === "served").length
    const refused = journal.filter(({ what }) => what === "refused").length
    const windows = Math.ceil(served / requests)
    // What was in flight when a window was full, and one probe for each.
    const allowed = windows * concurrency
    const done = journal.filter(({ what }) => what.startsWith("step-")).map(({ session, what }) => `${session} ${what}`)
    const twice = done.length - new Set(done).size
    process.stdout.write(
      `${account.name.padEnd(7)}  ${String(windows).padStart(7)}  ${String(served).padStart(6)}  ${String(refused).padStart(7)}  ${String(allowed).padStart(7)}  ${String(twice).padStart(5)}\n`
    )
    if (twice > 0) problems.push(`${twice} steps of account ${account.name} were done twice`)
    if (refused > allowed) problems.push(`${refused} requests of account ${account.name} were refused`)
  }
  const counts = Object.fromEntries(statuses.map(({ n, status }) => [status, n]))
  process.stdout.write(
    `\ncompleted ${counts.completed ?? 0} of ${ids.length}, parked ${parks} times, workers killed ${kills} times, ${Math.round((Date.now() - began) / 1000)} s\n`
  )
  const dollars = (amount) => `$${amount.toFixed(2)}`
  process.stdout.write(
    `budget ${dollars(budgeted)}, spent when it held the rest ${spentAtStop === null ? "-" : dollars(spentAtStop)}; in all ${dollars(used())}, in the ledger ${dollars(counted())}\n`
  )
  if (spentAtStop === null) problems.push("the budget never held a task")
  // A running task is not ended: it may exceed what was reserved for it, by one task for each that ran.
  else if (spentAtStop > budgeted + concurrency * stepCost)
    problems.push(`${dollars(spentAtStop)} of ${dollars(budgeted)} spent`)
  if (Math.abs(counted() - used()) > stepCost / 2) problems.push("the ledger does not count what the agents used")
  if (counts.completed !== ids.length) problems.push(`not completed: ${JSON.stringify(counts)}`)
  if (attempts !== 1) problems.push("a limit used up a try")
} finally {
  for (const child of children) child.kill("SIGKILL")
  if (!words.includes("--keep")) rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}
for (const problem of problems) process.stdout.write(`WRONG: ${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1
