/**
 * The ports of which a test over the in-memory store has nothing: what a worker asks of them is answered as by an empty database, and
 * every other call is a defect. Such a test uses the SQL layers over a database in memory instead.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TaskNotFound } from "../../../domain/Errors.ts"
import { Budgets } from "../../../services/Budgets.ts"
import { Checkpoints } from "../../../services/Checkpoints.ts"
import { Contests } from "../../../services/Contests.ts"
import { Deliveries } from "../../../services/Deliveries.ts"
import { Gates } from "../../../services/Gates.ts"
import { Goals } from "../../../services/Goals.ts"
import { LateRounds } from "../../../services/LateRounds.ts"
import { Ledger } from "../../../services/Ledger.ts"
import { Limits } from "../../../services/Limits.ts"
import { Loops } from "../../../services/Loops.ts"
import { Merges } from "../../../services/Merges.ts"
import { Messages } from "../../../services/Messages.ts"
import { Notices } from "../../../services/Notices.ts"
import { Pipelines } from "../../../services/Pipelines.ts"
import { PutRight } from "../../../services/PutRight.ts"
import { Questions } from "../../../services/Questions.ts"
import { Schedules } from "../../../services/Schedules.ts"
import { Wakes } from "../../../services/Wakes.ts"
import { WorkerWorkspaces } from "../../../services/WorkerWorkspaces.ts"
import { Workspaces } from "../../../services/Workspaces.ts"

const none = () => Effect.succeedNone
const noList = () => Effect.succeed([])

export const layer = Layer.mergeAll(
  Layer.mock(Budgets, { stopping: Effect.succeed([]) }),
  Layer.mock(Checkpoints, {
    started: () => Effect.void,
    startOf: none,
    missing: noList,
    reached: Effect.succeed(0),
    advance: () => Effect.void
  }),
  Layer.mock(Contests, { placeOf: none }),
  Layer.mock(Deliveries, { known: Effect.succeed([]), taken: Effect.succeed([]) }),
  Layer.mock(Gates, {
    freezing: Effect.succeed([]),
    pausing: Effect.succeed([]),
    tidy: Effect.void
  }),
  Layer.mock(Goals, { stopOverdue: Effect.succeed([]) }),
  Layer.mock(LateRounds, { end: Effect.succeed([]) }),
  Layer.mock(Ledger, {}),
  Layer.mock(Limits, {
    list: Effect.succeed([]),
    overdue: Effect.succeed([]),
    renewSpare: Effect.void,
    waitingBeyond: noList
  }),
  Layer.mock(Loops, { roundOf: none }),
  Layer.mock(Merges, { allOpen: Effect.succeed([]) }),
  Layer.mock(Messages, {
    recipient: (reference) => Effect.fail(new TaskNotFound({ reference })),
    waiting: Effect.succeed([]),
    adrift: Effect.succeed([]),
    pending: noList
  }),
  Layer.mock(Notices, { after: noList, bounds: Effect.succeed({ oldest: 1, newest: 0 }) }),
  Layer.mock(PutRight, {
    all: Effect.succeed({ pauses: 0, accounts: 0, budgets: 0 }),
    seen: none,
    see: () => Effect.void
  }),
  Layer.mock(Pipelines, { answerRule: none }),
  Layer.mock(Questions, { ofTask: noList, ofClaim: noList }),
  Layer.mock(Schedules, {
    nextFire: Effect.succeedNone,
    due: noList,
    putRight: Effect.succeed([]),
    list: noList,
    prune: noList
  }),
  Layer.mock(Wakes, { askedIn: none, wokenIn: none, sessionOf: () => Effect.succeed(null) }),
  Layer.mock(Workspaces, {
    ofTask: none,
    list: noList,
    held: Effect.succeed({ bytes: 0, count: 0 }),
    working: Effect.succeed(new Map())
  }),
  Layer.mock(WorkerWorkspaces, { idle: noList, unfinished: noList, trash: noList, unmeasured: noList })
)
