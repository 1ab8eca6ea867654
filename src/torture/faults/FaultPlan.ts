/** The faults of a torture run: what is done to it, and when. */
import type { Dice } from "../Dice.ts"

/** `pick` chooses among the victims that exist at that moment. Times are milliseconds. */
export type Fault = { readonly at: number; readonly pick: number } & (
  | { readonly kind: Kill }
  | { readonly kind: "freeze" | "lock"; readonly forMs: number }
  /** A worker that is stopped until the last fault has come. */
  | { readonly kind: "stop" }
  /** The client of an MCP server leaves while another process holds the write lock. */
  | { readonly kind: "leave"; readonly forMs: number }
  /** A command from another pid namespace, where none of the processes of the run can be seen. */
  | { readonly kind: "foreign"; readonly words: ReadonlyArray<string> }
  /** A command of another user, who may write the files of the queue. Only root can be two users. */
  | { readonly kind: "stranger"; readonly words: ReadonlyArray<string> }
  /** The file that collects the output of an agent is emptied while the agent prints. */
  | { readonly kind: "empty" }
  /** The clock on the wall is set, and set right again after a while. */
  | { readonly kind: "clock"; readonly aheadMs: number; readonly forMs: number }
  /** All processes die at the same time, and the next boot id is another. */
  | { readonly kind: "reboot" }
)

export type Kill = "kill-worker" | "kill-agent" | "kill-shim" | "kill-tree" | "kill-starting" | "kill-command"

export type FaultKind = Fault["kind"]

const kinds: ReadonlyArray<readonly [number, FaultKind]> = [
  [26, "kill-worker"],
  [80, "kill-agent"],
  [18, "kill-shim"],
  [14, "kill-tree"],
  [6, "kill-starting"],
  [10, "kill-command"],
  [4, "freeze"],
  [3, "lock"],
  [1, "reboot"],
  [1, "stop"],
  [2, "leave"],
  [4, "foreign"],
  [3, "stranger"],
  [6, "empty"],
  [4, "clock"]
]

/** Every kind of fault that a plan may contain. */
export const faultKinds: ReadonlyArray<FaultKind> = kinds.map(([, kind]) => kind)

/** What a command from another pid namespace does. */
const foreignWords: ReadonlyArray<ReadonlyArray<string>> = [["wait", "--timeout", "3s", "@last"], ["list"], ["status"]]

/** What a command of another user does to the queue. */
const strangerWords: ReadonlyArray<ReadonlyArray<string>> = [
  ["worker"],
  ["run", "-a", "shell", "exit 0"],
  ["cancel", "@last"],
  ["list"]
]

/** Longer than a run, so that each stored time shows whether its clock was set. */
export const jumpMs = 7_200_000

/** Mean time between two faults, in milliseconds. */
const gap = 210

/** Mostly short, because no process can write meanwhile; sometimes longer than SQLite's own busy timeout. */
const lockMs = (dice: Dice): number => (dice.chance(0.15) ? dice.between(1000, 2500) : dice.between(50, 500))

export const planFaults = (dice: Dice, durationMs: number, mayJump: boolean): ReadonlyArray<Fault> => {
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
        faults.push({ ...common, kind, forMs: lockMs(dice) })
        break
      case "leave":
        faults.push({ ...common, kind, forMs: dice.between(400, 1500) })
        break
      case "foreign":
        faults.push({ ...common, kind, words: dice.pick(foreignWords) })
        break
      case "stranger":
        faults.push({ ...common, kind, words: dice.pick(strangerWords) })
        break
      case "clock":
        // A schedule that makes up for what it missed would start a hundred tasks: the clock of such a plan is never set.
        faults.push({ ...common, kind, aheadMs: dice.chance(0.5) ? jumpMs : -jumpMs, forMs: dice.between(300, 2500) })
        break
      default:
        faults.push({ ...common, kind })
    }
    at += Math.round(-Math.log(1 - dice.fraction()) * gap)
  }
  return mayJump ? faults : faults.filter(({ kind }) => kind !== "clock")
}
