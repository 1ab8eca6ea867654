/** The clock of a torture run: what each of its processes loads before all else, so that the time on the wall can be set. */

/** `file` holds the milliseconds that the clock is ahead. Clocks that cannot be set stay as they are. */
export const clockScript = (file: string): string => `
"use strict"
const fs = require("node:fs")
const Real = Date
const now = Real.now
let ahead = 0
let looked = -1e9
const shown = () => {
  const at = process.uptime()
  if (at - looked > 0.02) {
    looked = at
    try { ahead = Number(fs.readFileSync(${JSON.stringify(file)}, "utf8")) || 0 } catch {}
  }
  return now() + ahead
}
function Shown(...words) {
  if (new.target === undefined) return new Real(shown()).toString()
  return Reflect.construct(Real, words.length === 0 ? [shown()] : words, new.target === Shown ? Real : new.target)
}
Object.setPrototypeOf(Shown, Real)
Shown.prototype = Real.prototype
Real.now = shown
globalThis.Date = Shown
`
