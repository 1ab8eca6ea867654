/** Formats durations and moments for people. */

const steps: ReadonlyArray<readonly [number, string]> = [
  [604_800_000, "w"],
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "m"],
  [1000, "s"]
]

/** `850ms`, `42s`, `3m 20s`, `2h 5m`, `6d 3h`: two units at most. */
export const span = (milliseconds: number): string => {
  const length = Math.max(0, Math.round(milliseconds))
  if (length < 1000) return `${length}ms`
  const at = steps.findIndex(([size]) => length >= size)
  const [size, unit] = steps[at] ?? [1000, "s"]
  const whole = `${Math.floor(length / size)}${unit}`
  const next = steps[at + 1]
  if (next === undefined) return whole
  const rest = Math.floor((length % size) / next[0])
  return rest === 0 ? whole : `${whole} ${rest}${next[1]}`
}

/** One unit: `42s`, `3m`, `2h`, `6d`. For columns. */
export const shortSpan = (milliseconds: number): string => span(milliseconds).split(" ")[0] ?? ""

/** `3m ago`, `in 1h 59m`, `now`: a future time is not rounded down to half of its length. */
export const relative = (at: number, now: number): string => {
  if (Math.abs(now - at) < 1000) return "now"
  return at <= now ? `${shortSpan(now - at)} ago` : `in ${span(at - now)}`
}

/** `2027-03-01 09:00:04`, in local time. */
export const moment = (at: number): string => {
  const date = new Date(at)
  const two = (value: number) => String(value).padStart(2, "0")
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** `0 B`, `12 kB`, `3.4 MB`. */
export const bytes = (count: number): string => {
  if (count < 1000) return `${count} B`
  const units = ["kB", "MB", "GB", "TB"]
  let value = count / 1000
  let at = 0
  while (value >= 999.5 && at < units.length - 1) {
    value /= 1000
    at += 1
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[at]}`
}
