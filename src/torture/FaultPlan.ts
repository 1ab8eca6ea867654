/** The faults of a torture run: what is done to it, and when. */
import type { Dice } from "./Dice.ts"

/** `pick` chooses a victim among those there are at that moment. Times are milliseconds. */
export type Fault = { readonly at: number; readonly pick: number } & (
  | { readonly kind: "kill-runtime" | "kill-agent" | "kill-shim" | "kill-tree" | "kill-starting" | "kill-command" }
  | { readonly kind: "freeze" | "lock"; readonly forMs: number }
  /** A worker that dies at the first of these places it comes to. */
  | { readonly kind: "worker"; readonly failpoints: string }
  /** A worker under a limit on the size of files, in blocks of 512 bytes, with everything it starts. */
  | { readonly kind: "limited-worker"; readonly blocks: number; readonly forMs: number }
  /** Everything dies at once, and the next boot id is another. */
  | { readonly kind: "reboot" }
)

export type FaultKind = Fault["kind"]

/** Every place where a runtime can be made to die, and how many times it may pass there before. */
export const runtimeFailpoints: ReadonlyArray<readonly [name: string, passes: number]> = [
  ["register.commit", 0],
  ["register.committed", 0],
  ["leave.commit", 0],
  ["leave.committed", 0],
  ["claim.commit", 3],
  ["claim.committed", 3],
  ["start.checked", 2],
  ["start.prepared", 2],
  ["start.spawned", 2],
  ["start.told", 2],
  ["started.commit", 2],
  ["started.committed", 2],
  ["append.commit", 6],
  ["append.committed", 6],
  ["skip.commit", 0],
  ["skip.committed", 0],
  ["supervise.ended", 2],
  ["supervise.swept", 2],
  ["supervise.drained", 2],
  ["finish.commit", 3],
  ["finish.committed", 3],
  ["conclude.discarded", 2],
  ["adopt.commit", 1],
  ["adopt.committed", 1],
  ["adopt.reowned", 1],
  ["fireSchedule.commit", 1],
  ["fireSchedule.committed", 1],
  ["revoke.answered", 0],
  ["supervise.unstarted", 0],
  ["requeue.commit", 0],
  ["requeue.committed", 0],
  ["stopping.commit", 0],
  ["stopping.committed", 0],
  ["stop.recorded", 0],
  ["stop.ended", 0]
]

const somePoints = (dice: Dice): string =>
  Array.from({ length: dice.between(1, 3) }, () => dice.pick(runtimeFailpoints))
    .map(([name, passes]) => `${name}:kill@${dice.between(1, passes + 1)}`)
    .join(",")

const kinds: ReadonlyArray<readonly [number, FaultKind]> = [
  [26, "kill-runtime"],
  [12, "kill-agent"],
  [8, "kill-shim"],
  [4, "kill-tree"],
  [4, "kill-starting"],
  [6, "kill-command"],
  [5, "freeze"],
  [4, "lock"],
  [26, "worker"],
  [3, "limited-worker"],
  [1, "reboot"]
]

/** Mean time between two faults, in milliseconds. */
const gap = 260

export const planFaults = (dice: Dice, durationMs: number): ReadonlyArray<Fault> => {
  const faults: Array<Fault> = []
  let at = 300
  while (at < durationMs) {
    const kind = dice.weighted(kinds)
    const common = { at, pick: dice.fraction() }
    switch (kind) {
      case "freeze":
        faults.push({ ...common, kind, forMs: dice.between(100, 2000) })
        break
      case "lock":
        faults.push({ ...common, kind, forMs: dice.between(50, 2500) })
        break
      case "worker":
        faults.push({ ...common, kind, failpoints: somePoints(dice) })
        break
      case "limited-worker":
        faults.push({ ...common, kind, blocks: dice.between(200, 4000), forMs: dice.between(500, 3000) })
        break
      default:
        faults.push({ ...common, kind })
    }
    at += Math.round(-Math.log(1 - dice.fraction()) * gap)
  }
  return faults
}
