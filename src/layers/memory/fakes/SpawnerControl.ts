/** How a test controls the processes that the in-memory spawner pretends to run. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Queue from "effect/Queue"
import type { SpawnFailed } from "../../../domain/Errors.ts"
import type { StreamName } from "../../../domain/output/Output.ts"
import type { ProcessEnd } from "../../../domain/task/Agent.ts"
import type { ProcessCpu } from "../../../domain/task/Stall.ts"
import type { ClaimId } from "../../../domain/worker/Claim.ts"
import type { ProcessIdentity } from "../../../domain/worker/Process.ts"
import type { ClaimedTask } from "../../../services/Queue.ts"

/** The signal that ends a tree: its agent leaves on TERM, only on KILL, or (stuck in the kernel) on neither. */
export type Obedience = "term" | "kill" | "nothing"

/** Every method dies on a claim without a spool: the test is wrong then. */
export class SpawnerControl extends Context.Tag("backbeat/memory/SpawnerControl")<
  SpawnerControl,
  {
    /** Claims whose agent was started, in order: one entry for each real start. */
    readonly started: Queue.Dequeue<ClaimedTask>
    /** How many agents were started. */
    readonly starts: Effect.Effect<number>
    readonly print: (claimId: ClaimId, stream: StreamName, output: Uint8Array | string) => Effect.Effect<void>
    /** The agent empties the file of its stream. */
    readonly empty: (claimId: ClaimId, stream: StreamName) => Effect.Effect<void>
    readonly end: (claimId: ClaimId, end: ProcessEnd) => Effect.Effect<void>
    /** The shim vanishes without a status; what `fork` made lives on. */
    readonly lose: (claimId: ClaimId) => Effect.Effect<void>
    /** Adds a process to the agent's tree: `identity`, or a fresh one. */
    readonly fork: (claimId: ClaimId, identity?: ProcessIdentity) => Effect.Effect<ProcessIdentity>
    readonly obey: (claimId: ClaimId, what: Obedience) => Effect.Effect<void>
    readonly useCpu: (claimId: ClaimId, millis: number, role?: ProcessCpu["role"]) => Effect.Effect<void>
    /** The next start fails and leaves nothing behind that could run. */
    readonly failNext: (error: SpawnFailed) => Effect.Effect<void>
    /** The next start takes the token and then never returns, as when its worker is killed there. */
    readonly hangNext: Effect.Effect<void>
    /** The shim of a start that hangs reports its identity. */
    readonly tell: (claimId: ClaimId) => Effect.Effect<ProcessIdentity>
    /** The messages that the agent got while it ran, in order. */
    readonly told: (claimId: ClaimId) => Effect.Effect<ReadonlyArray<{ readonly id: string; readonly text: string }>>
    readonly inputEnded: (claimId: ClaimId) => Effect.Effect<boolean>
    /** What hands lines to the agent is killed. */
    readonly endInput: (claimId: ClaimId) => Effect.Effect<void>
    readonly frozen: (claimId: ClaimId) => Effect.Effect<boolean>
    /** Whom the shim would call at its end. */
    readonly ownerOf: (claimId: ClaimId) => Effect.Effect<ProcessIdentity | null>
  }
>() {}
