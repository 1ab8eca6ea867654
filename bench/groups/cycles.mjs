/** Claim and finish over several processes, next to a bare script that makes the same row changes. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import Database from "better-sqlite3"
import { bundled } from "../inside/bundle.mjs"
import { another, makeHome } from "../measure.mjs"
import { fill } from "../sql.mjs"

/** Both run this long in every round. */
const seconds = 1.5

/** More than any round can use up. */
const stock = 15_000

/** Letters that an id may have, one for each time the queue is filled. */
const prefixes = "abcdefghjkmnpqrstvwxyz"

const queuedIn = (file) => {
  const database = new Database(file, { readonly: true })
  try {
    return database.prepare("SELECT count(*) FROM tasks WHERE status = 'queued'").pluck().get()
  } finally {
    database.close()
  }
}

/** Told once the process is ready, and once it has ended with its answer. */
const follow = (child) => {
  let text = ""
  const ready = new Promise((resolve) => {
    child.stdout.setEncoding("utf8").on("data", (chunk) => {
      text += chunk
      if (text.includes("\n")) resolve()
    })
  })
  const answer = once(child, "close").then(() => JSON.parse(text.slice(text.indexOf("\n"))))
  return { child, ready: Promise.race([ready, answer]), answer }
}

export const cycles = async ({ ends, quick, report }) => {
  const end = ends()
  const programs = { beat: await bundled("cycle"), bare: await bundled("bareCycle") }
  const home = makeHome({ BACKBEAT_IDLE_MS: "0" })
  let errors = 0

  /** All processes come up and warm up first, and start together at a moment in the future. */
  const race = async (program, processes) => {
    const racers = Array.from({ length: processes }, () =>
      follow(spawn(process.execPath, [program, String(seconds)], { env: home.env, stdio: ["pipe", "pipe", "inherit"] }))
    )
    await Promise.all(racers.map(({ ready }) => ready))
    const at = Date.now() + 200
    for (const { child } of racers) child.stdin.end(`${at}\n`)
    const answers = await Promise.all(racers.map(({ answer }) => answer))
    errors += answers.reduce((sum, answer) => sum + answer.errors, 0)
    const made = answers.reduce((sum, answer) => sum + answer.cycles, 0)
    if (made === 0) throw new Error(`${program}: no task could be claimed`)
    return made / seconds
  }

  try {
    await home.beat("run", "-a", "shell", "true")
    await home.beat("wait", "@last")
    await home.quiet()
    let batch = 0
    const restock = () =>
      fill(home.database, stock - queuedIn(home.database), { prefix: prefixes[batch++], queued: true })
    for (const processes of [1, 4, 16]) {
      const limit = processes === 1 ? 0.4 : 0.3
      const rates = { beat: [], bare: [] }
      for (let round = 0; another(round, quick ? 1 : 2, end); round++) {
        for (const [name, program] of Object.entries(programs)) {
          // Two rounds of the script with many processes differ by less than one in a hundred.
          if (name === "bare" && processes === 16 && round > 0) continue
          restock()
          rates[name].push(await race(program, processes))
        }
      }
      report({
        name: `claim and finish, ${processes} ${processes === 1 ? "process" : "processes"}`,
        unit: "cycles/s",
        beat: rates.beat,
        original: "claims nothing",
        floors: { "bare script": rates.bare },
        goal: { text: `>= ${limit}x bare`, limit, of: "bare script", atLeast: true }
      })
    }
    report({ name: "errors meanwhile", unit: "", beat: [errors], goal: { text: "0", limit: 0 } })
  } finally {
    await home.close()
  }
}
