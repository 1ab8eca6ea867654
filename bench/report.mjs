/** The table: each measurement next to the original, the floors and the goal. */
import { median, summary } from "./statistics.mjs"

const digits = (value) => (Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2)
const shown = (value) => value.toFixed(digits(value))

/** `12.3 (11.0-14.1)`: median and spread. */
const cell = (stat) => {
  if (stat === undefined || stat === null) return ""
  if (typeof stat === "string") return stat
  return stat.n === 1 ? shown(stat.median) : `${shown(stat.median)} (${shown(stat.p10)}-${shown(stat.p90)})`
}

/** Compares the median with the limit; the limit may be another contestant's median times a factor. */
const judge = (goal, beat, others) => {
  if (goal === undefined || beat === null) return null
  const against = goal.of === undefined ? 1 : others[goal.of]?.median
  if (against === undefined) return { text: goal.text, met: null, by: null }
  const limit = goal.limit * against
  const met = goal.atLeast ? beat.median >= limit : beat.median <= limit
  const by = Math.abs(beat.median / limit - 1) * 100
  return { text: goal.text, limit, ratio: beat.median / against, met, by }
}

const statOf = (samples) => {
  if (samples === undefined || samples === null) return null
  if (typeof samples === "string") return samples
  return samples.length === 0 ? "no figure" : summary(samples)
}

export const makeReport = (say) => {
  const rows = []
  let group = ""
  let figures = []

  /** `original` and the floors are samples, or the reason why there are none. */
  const report = ({ beat, floors = {}, goal, name, note = "", original, unit }) => {
    // A figure without a known name could not be missed.
    if (!figures.includes(name)) throw new Error(`no figure ${name} of this group in bench/figures.mjs`)
    const mine = statOf(beat)
    const theirs = statOf(original)
    const physical = Object.fromEntries(Object.entries(floors).map(([floor, samples]) => [floor, statOf(samples)]))
    const verdict =
      mine === null || typeof mine === "string" ? null : judge(goal, mine, { ...physical, original: theirs })
    rows.push({ group, name, unit, beat: mine, original: theirs, floors: physical, goal: verdict, note })
    const judged = () => {
      if (verdict === null) return ""
      const ratio = goal.of === undefined || verdict.ratio === undefined ? "" : ` (${verdict.ratio.toFixed(2)}x)`
      if (verdict.met === null) return `${verdict.text}: nothing to compare with`
      return `${verdict.text}${ratio}: ${verdict.met ? "met" : `missed by ${verdict.by.toFixed(0)} %`}`
    }
    const floor = Object.entries(physical).map(([called, stat]) => `${called} ${cell(stat)}`)
    say(
      `  ${name.padEnd(44)} ${cell(mine).padStart(22)} ${unit.padEnd(8)} ${cell(theirs).padStart(20)}  ${[floor.join(", "), judged(), note].filter((text) => text !== "").join(" | ")}`
    )
  }

  /** `names` are those of the figures that the group may report. */
  const begin = (title, names) => {
    group = title
    figures = names
    say(`\n${title}`)
  }
  return { report, begin, rows }
}

/** Differences from a base, sample by sample. */
export const above = (values, base) => {
  const floor = median(base)
  return values.map((value) => value - floor)
}
