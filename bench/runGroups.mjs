/** Runs groups one after the other within the time of a whole run, and names the figures that were not taken. */
import { figuresOf } from "./figures.mjs"
import { now } from "./measure.mjs"
import { makeReport } from "./report.mjs"

/**
 * `groups` are functions by name, `seconds` is what each takes on a quiet machine, `clock` counts the seconds of the run that count.
 * A group whose end would come after `limitSeconds` at the pace of those before it is left out. `failed` are those that threw.
 */
export const runGroups = async ({ clock, context, groups, limitSeconds, only, say, seconds, titles }) => {
  const { begin, report, rows } = makeReport(say)
  const failed = []
  const notTaken = []
  let expected = 0
  for (const name of only) {
    const since = clock()
    const pace = expected === 0 ? 1 : Math.max(1, since / expected)
    const names = figuresOf(name, context)
    const before = rows.length
    begin(titles[name], names)
    let why = "no figure"
    if (since > 0 && since + seconds[name] * pace > limitSeconds) {
      why = `left out, it would end after ${limitSeconds} s`
    } else {
      expected += seconds[name]
      try {
        // Asked for where the rounds begin: what comes before may take long in a first run.
        const ends = () => now() + seconds[name] * 1000
        await groups[name]({ ...context, ends, report, say })
      } catch (error) {
        failed.push(name)
        why = `stopped: ${error instanceof Error ? error.message : error}`
      }
    }
    const taken = new Set(rows.slice(before).flatMap((row) => (row.beat === "no figure" ? [] : [row.name])))
    const missing = names.filter((figure) => !taken.has(figure))
    notTaken.push(...missing.map((figure) => ({ group: titles[name], name: figure, why })))
    if (missing.length > 0) say(`  ${why}\n${missing.map((figure) => `  not taken: ${figure}`).join("\n")}`)
    say(`  (${(clock() - since).toFixed(0)} s)`)
  }
  return { failed, notTaken, rows }
}
