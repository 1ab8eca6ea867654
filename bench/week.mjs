/**
 * `npm run week`: a week of queued work in minutes. Accounts of three vendors whose windows are scaled (5 hours are 20 seconds),
 * tasks of several steps with dependencies, a budget for half of what they cost that is raised when it is spent, and workers that
 * are killed on the way. Prints a table, and exits with 1 where a task failed by a limit or a budget, a step was done or counted
 * twice, more was spent than the budget allows, or more was refused than what was in flight and one probe for each window.
 *
 *   npm run week -- [--tasks 60] [--minutes 8] [--keep]        # the whole week: --tasks 300
 */
import { spawn } from "node:child_process"
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import Database from "better-sqlite3"

const words = process.argv.slice(2)
const option = (name, otherwise) => (words.includes(name) ? Number(words[words.indexOf(name) + 1]) : otherwise)
const perAccount = Math.ceil(option("--tasks", 60) / 3)
const mostMs = option("--minutes", 8) * 60_000
const steps = 2
const windowMs = 20_000
/** Of each account in one window. More tasks get more, so that the week stays some minutes long. */
const requests = Math.max(10, Math.ceil(perAccount / 5))
const concurrency = 4
const killEveryMs = 12_000
/** Tokens of each step. */
const stepTokens = 10_000
const wholeTokens = perAccount * 3 * steps * stepTokens
const budgeted = Math.max(30 * stepTokens, Math.round(wholeTokens / 2))

const beat = resolve(import.meta.dirname, "../dist/beat.cjs")
const home = mkdtempSync(join(tmpdir(), "beat-week-"))
const state = join(home, "state")
const bin = join(home, "bin")
mkdirSync(bin)

/** Vendors, each with the variable that holds the key of its account. */
const accounts = [
  ["claude", "ANTHROPIC_API_KEY"],
  ["codex", "CODEX_API_KEY"],
  ["gemini", "GEMINI_API_KEY"]
].map(([name, key]) => {
  copyFileSync(resolve(import.meta.dirname, "../test/system/limitedAgent.cjs"), join(bin, name))
  chmodSync(join(bin, name), 0o755)
  const directory = join(home, `account-${name}`)
  mkdirSync(directory)
  return { name, key, directory }
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
  [account.key]: `sk-${account.name}`
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
  (existsSync(join(directory, "journal")) ? readFileSync(join(directory, "journal"), "utf8") : "")
    .split("\n")
    .filter((line) => line !== "")
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
    const { code, text } = await start(["budget", "set", "week", "--month", `${amount / 1000}ktokens`], accounts[0])
      .done
    if (code !== 0) throw new Error(`beat budget set ended with ${code}: ${text}`)
  }
  await budget(budgeted)
  const submit = async (account, args) => {
    const { code, text } = await start(["run", "-a", account.name, ...args], account).done
    if (code !== 0) throw new Error(`beat run ended with ${code}`)
    const stored = text.split("\n")
    ids.push(...stored)
    return stored.at(-1)
  }
  // The last of five waits for the one before it.
  for (let at = 0; at < perAccount; at += 5) {
    for (const account of accounts) {
      const count = Math.min(4, perAccount - at)
      const batch = join(home, "batch")
      writeFileSync(batch, `steps ${steps}\n`.repeat(count))
      const last = await submit(account, ["--batch", batch])
      if (at + 4 < perAccount) await submit(account, ["--after", last, `steps ${steps}`])
    }
  }
  process.stdout.write(
    `${ids.length} tasks of ${steps} steps on accounts of ${accounts.length} vendors, ${requests} requests in ${windowMs / 1000} s each.\n`
  )

  /** What the agents have used, by their own journals, and what the ledger counts. */
  const used = () => accounts.flatMap(journalOf).filter(({ what }) => what.startsWith("step-")).length * stepTokens
  const counted = () => rows("SELECT coalesce(sum(input_tokens), 0) AS n FROM ledger")[0].n
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
      await budget(wholeTokens * 2)
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
  const tokens = (count) => `${Math.round(count / 1000)}k`
  process.stdout.write(
    `budget ${tokens(budgeted)} tokens, spent when it held the rest ${spentAtStop === null ? "-" : tokens(spentAtStop)}; in all ${tokens(used())}, in the ledger ${tokens(counted())}\n`
  )
  if (spentAtStop === null) problems.push("the budget never held a task")
  // A running task is not ended: it may exceed what was reserved for it, by one task for each that ran.
  else if (spentAtStop > budgeted + concurrency * stepTokens)
    problems.push(`${tokens(spentAtStop)} of ${tokens(budgeted)} tokens spent`)
  if (counted() !== used()) problems.push("the ledger does not count what the agents used")
  if (counts.completed !== ids.length) problems.push(`not completed: ${JSON.stringify(counts)}`)
  if (attempts !== 1) problems.push("a limit used up an attempt")
} finally {
  for (const child of children) child.kill("SIGKILL")
  if (!words.includes("--keep")) rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}
for (const problem of problems) process.stdout.write(`WRONG: ${problem}\n`)
process.exitCode = problems.length === 0 ? 0 : 1
