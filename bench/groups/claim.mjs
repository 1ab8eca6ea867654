/**
 * The claim from a long queue whose tasks wait for the limits of accounts: 40 lanes, with all, one or none of them open, and next to
 * it the same queue without accounts, where all tasks are in one lane.
 */
import { copied, manyQueued } from "../databases.mjs"
import { bundled } from "../inside/bundle.mjs"
import { makeHome } from "../measure.mjs"
import { closeLanes, distribute, lanes } from "../sql.mjs"

export const claim = async ({ quick, report }) => {
  const program = await bundled("claim")
  const count = quick ? 100_000 : 1_000_000
  const rounds = quick ? 100 : 500
  const { directory, remove } = copied(await manyQueued(count, (seeded) => seeded.node([program, "seed"])))
  const home = makeHome({}, directory)
  try {
    const tasks = `${count.toLocaleString("en")} queued`
    const measure = async (name, limit, note) => {
      const samples = JSON.parse((await home.node([program, "claim", String(rounds)])).stdout)
      const sorted = [...samples].sort((one, other) => one - other)
      const at = (share) => sorted[Math.floor(sorted.length * share)].toFixed(2)
      report({
        name: `claim, ${tasks}, ${name}`,
        unit: "ms",
        beat: samples,
        original: "no limits",
        goal: { text: `<= ${limit} ms`, limit },
        note: `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms${note}`
      })
    }
    await measure("no accounts", 20, ", with its commit")
    distribute(home.database)
    for (const [open, name, limit] of [
      [lanes, "all open", 20],
      [1, "one open", 20],
      [0, "all closed", 1]
    ]) {
      closeLanes(home.database, open)
      await measure(`${lanes} lanes, ${name}`, limit, open === 0 ? "" : ", with its commit")
    }
  } finally {
    await home.close()
    remove()
  }
}
