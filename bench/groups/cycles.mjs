/** Claim and finish over several processes, beside a bare script that makes the same row changes. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fill } from "../databases.mjs"
import { bundled } from "../inside/bundle.mjs"
import { makeHome } from "../measure.mjs"

/** Both run this long in every round. */
const seconds = 1.5

/** More than any round can use up. */
const stock = 40_000

const parsed = async (child) => {
  let text = ""
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    text += chunk
  })
  await once(child, "close")
  return JSON.parse(text)
}

export const cycles = async ({ quick, report }) => {
  const programs = { beat: await bundled("cycle"), bare: await bundled("bareCycle") }
  const home = makeHome({ BACKBEAT_IDLE_MS: "0" })
  let errors = 0

  /** All processes come up first, and start together at a moment in the future. */
  const race = async (program, processes) => {
    const at = Date.now() + 700 + processes * 120
    const children = Array.from({ length: processes }, () =>
      spawn(process.execPath, [program, String(at), String(seconds)], {
        env: home.env,
        stdio: ["ignore", "pipe", "inherit"]
      })
    )
    const answers = await Promise.all(children.map(parsed))
    errors += answers.reduce((sum, answer) => sum + answer.errors, 0)
    return answers.reduce((sum, answer) => sum + answer.cycles, 0) / seconds
  }

  try {
    await home.beat("run", "-a", "shell", "true")
    await home.beat("wait", "@last")
    await home.quiet()
    let batch = 0
    const restock = () => fill(home.database, stock, { prefix: `${(10 + batch++).toString(36)}`, queued: true })
    for (const processes of [1, 4, 16]) {
      const rates = { beat: [], bare: [] }
      for (let round = 0; round < (quick ? 1 : 3); round++) {
        for (const [name, program] of Object.entries(programs)) {
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
        goal: { text: ">= 0.3x bare", limit: 0.3, of: "bare script", atLeast: true }
      })
    }
    report({ name: "errors meanwhile", unit: "", beat: [errors], goal: { text: "0", limit: 0 } })
  } finally {
    await home.close()
  }
}
