/** The workers of a torture run: which are started to serve the queue, and where each of them will die. */
import type { Dice } from "../Dice.ts"

/** A worker that dies at the first of these places it comes to, or that is under a limit, with all that it starts. */
export interface WorkerPlan {
  readonly failpoints: string | null
  /** Size of files, in blocks of 512 bytes, and how long the worker lives. */
  readonly limit: { readonly blocks: number; readonly forMs: number } | null
  /** Those of the shell that starts the worker. No agent may notice them. */
  readonly umask: string
}

type Place = readonly [name: string, passes: number]

/** Places that every worker comes to, and how many times it may pass there before. */
const frequent: ReadonlyArray<Place> = [
  ["register.commit", 0],
  ["register.committed", 0],
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
  ["supervise.ended", 2],
  ["supervise.swept", 2],
  ["supervise.drained", 2],
  ["finish.commit", 3],
  ["finish.committed", 3],
  ["release.discarded", 2],
  ["store.commit", 2],
  ["store.committed", 2],
  ["adopt.commit", 1],
  ["adopt.committed", 1],
  ["adopt.reowned", 1]
]

/** Places that it takes an occasion to come to. */
const rare: ReadonlyArray<Place> = [
  ["leave.commit", 0],
  ["leave.committed", 0],
  ["skip.commit", 0],
  ["skip.committed", 0],
  ["advance.commit", 0],
  ["advance.committed", 0],
  ["fireSchedule.commit", 0],
  ["fireSchedule.committed", 0],
  ["revoke.answered", 0],
  ["supervise.unstarted", 0],
  ["park.decided", 0],
  ["park.commit", 0],
  ["park.committed", 0],
  ["park.discarded", 0],
  ["requeue.commit", 0],
  ["requeue.committed", 0],
  ["stopping.commit", 0],
  ["stopping.committed", 0],
  ["stop.recorded", 0],
  ["stop.ended", 0],
  ["written.commit", 0],
  ["written.committed", 0],
  ["send.written", 0],
  ["send.rung", 0],
  ["restart.commit", 0],
  ["restart.committed", 0]
]

/** Steps of a workspace and of what is taken from it, and of a round of a loop. */
const workspace: ReadonlyArray<Place> = [
  ["cut.begun", 0],
  ["cut.linked", 0],
  ["cut.configured", 0],
  ["cut.filled", 0],
  ["cut.whole", 0],
  ["cut.renamed", 0],
  ["workspaceReady.commit", 0],
  ["workspaceReady.committed", 0],
  ["start.filled", 1],
  ["start.checkedOut", 1],
  ["seal.taken", 1],
  ["seal.tree", 1],
  ["seal.committed", 1],
  ["seal.named", 1],
  ["seal.home", 1],
  ["seal.stored", 1],
  ["taskSealed.commit", 1],
  ["taskSealed.committed", 1],
  ["loopWorked.commit", 1],
  ["loopWorked.committed", 1]
]

/** Steps of a message on its way to the hook. */
const hook: ReadonlyArray<Place> = [
  ["deliveries.decide.commit", 1],
  ["deliveries.decide.committed", 1],
  ["deliveries.claim.commit", 2],
  ["deliveries.claim.committed", 2],
  ["deliver.claimed", 2],
  ["deliver.sent", 2],
  ["deliveries.settle.commit", 2],
  ["deliveries.settle.committed", 2]
]

/** Every place where a worker can be made to die. */
export const workerFailpoints: ReadonlyArray<string> = [...frequent, ...rare, ...workspace, ...hook].map(
  ([name]) => name
)

const points = (dice: Dice, places: ReadonlyArray<Place>, count: number): string =>
  Array.from({ length: count }, () => dice.pick(places))
    .map(([name, passes]) => `${name}:kill@${dice.between(1, passes + 1)}`)
    .join(",")

const planEnd = (dice: Dice): Omit<WorkerPlan, "umask"> => {
  const kind = dice.weighted([
    [40, "plain"],
    [28, "frequent"],
    // Several: each of them alone would hardly ever be passed before something else ends the worker.
    [20, "rare"],
    [12, "workspace"],
    [6, "limited"]
  ])
  switch (kind) {
    case "frequent":
      return { failpoints: points(dice, frequent, dice.between(1, 2)), limit: null }
    case "workspace":
      return { failpoints: points(dice, workspace, 6), limit: null }
    case "rare":
      return { failpoints: points(dice, rare, 6), limit: null }
    case "limited":
      return { failpoints: null, limit: { blocks: dice.between(200, 4000), forMs: dice.between(500, 3000) } }
    default:
      return { failpoints: null, limit: null }
  }
}

const umasks = ["0022", "0077", "0027", "0002", "0000"]

const planWorker = (dice: Dice): WorkerPlan => ({ ...planEnd(dice), umask: dice.pick(umasks) })

/** More than can be started in the time. */
const perSecond = 3

export const planWorkers = (dice: Dice, durationMs: number): ReadonlyArray<WorkerPlan> =>
  Array.from({ length: Math.ceil((durationMs / 1000) * perSecond) + 20 }, () => planWorker(dice))

/** Some of those that would not die at a failpoint do so while they bring messages to the hook. */
export const dyingAtHooks = (dice: Dice, workers: ReadonlyArray<WorkerPlan>): ReadonlyArray<WorkerPlan> =>
  workers.map((worker) => {
    const spared = worker.failpoints !== null || worker.limit !== null || !dice.chance(0.45)
    return spared ? worker : { ...worker, failpoints: points(dice, hook, 1) }
  })

/** Where MCP servers die besides: a server is a worker, and it commits what its client asks for. */
const serverPlaces: ReadonlyArray<Place> = [
  ["append.committed", 8],
  ["enqueue.commit", 3],
  ["enqueue.committed", 3],
  ["edit.commit", 0],
  ["edit.committed", 0],
  ["cancel.commit", 0],
  ["cancel.committed", 0]
]

/** The failpoints of one MCP server after the other; null: none. */
export const planServers = (dice: Dice, durationMs: number): ReadonlyArray<string | null> =>
  Array.from({ length: Math.ceil(durationMs / 1000) + 10 }, () =>
    dice.chance(0.4) ? points(dice, serverPlaces, 2) : null
  )
