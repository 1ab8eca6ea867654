/** The answer of `beat why`: each reason with the data that belongs to it, and no other. */
import * as Schema from "effect/Schema"
import { Gate } from "../../domain/gates/Gate.ts"
import { GroupName } from "../../domain/gates/GroupName.ts"
import { AccountKey } from "../../domain/limits/Account.ts"
import { PlaceWait } from "../../domain/limits/AccountLimits.ts"
import { LoopId } from "../../domain/loop/LoopId.ts"
import { Kind } from "../../domain/OtherKind.ts"
import { Question } from "../../domain/questions/Question.ts"
import { FailureClass, TaskId, TaskStatus, Timestamp } from "../../domain/task/Task.ts"
import { StopCause } from "../../domain/worker/Claim.ts"
import { HoldView } from "../budgets/BudgetView.ts"
import { Neglected } from "../serving/Neglect.ts"

const common = { taskId: TaskId, status: TaskStatus }
/** How many tasks start before it, as far as is looked: 1000 may be more. */
const ahead = Schema.Int
/** Since its agent printed last, in milliseconds; null where it prints nothing now. */
const silentMs = Schema.NullOr(Schema.Int)
/** `running` of `limit` tasks run. */
const places = { running: Schema.Int, limit: Schema.Int, ahead }

export const Why = Schema.Union(
  /** It has ended, and `retriedBy` is the automatic retry that it led to. */
  Schema.Struct({
    ...common,
    reason: Schema.Literal("ended"),
    cause: Schema.NullOr(StopCause),
    error: Schema.NullOr(Schema.String),
    retriedBy: Schema.NullOr(TaskId)
  }),
  /** It runs: it waits for nothing but its agent. */
  Schema.Struct({ ...common, reason: Schema.Literal("running"), silentMs }),
  /** It runs and is being ended. */
  Schema.Struct({ ...common, reason: Schema.Literal("ending"), cause: StopCause, silentMs }),
  /**
   * It counts as running. Lost: its worker is gone; one was started if none served the queue. Stopped: by a signal. Unseen:
   * its worker is in another container or on another host and has not written for minutes.
   */
  Schema.Struct({ ...common, reason: Neglected.fields.reason, workerPid: Neglected.fields.pid, silentMs }),
  /** A worker in another container or on another host serves the queue, and none is started here. */
  Schema.Struct({ ...common, reason: Schema.Literal("elsewhere"), workerPid: Schema.Int, ahead }),
  /** Its time has not come yet. `failureBefore`: why the attempt before it failed, where the time comes from that. */
  Schema.Struct({
    ...common,
    reason: Schema.Literal("not-before"),
    notBefore: Timestamp,
    failureBefore: Schema.NullOr(FailureClass)
  }),
  /** A limit of its account is met. */
  Schema.Struct({
    ...common,
    reason: Schema.Literal("limit"),
    account: AccountKey,
    window: Schema.String,
    opensAt: Timestamp,
    ahead
  }),
  /** A limit of its account has ended: one task asks first whether it is over, then 2, 4, 8 start. */
  Schema.Struct({
    ...common,
    reason: Schema.Literal("account-places"),
    ...PlaceWait.fields,
    ahead
  }),
  /** A person paused everything, or it, its group, agent or pipeline. */
  Schema.Struct({ ...common, reason: Schema.Literal("paused"), gate: Gate, ahead }),
  /** It is the step of a pipeline that stands for a loop, which is open. */
  Schema.Struct({ ...common, reason: Schema.Literal("loop"), loop: LoopId }),
  /** It runs, and a person has stopped its processes where they are; null: the pause has just ended. */
  Schema.Struct({ ...common, reason: Schema.Literal("frozen"), gate: Schema.NullOr(Gate), silentMs }),
  /** It waits for a person to answer its oldest open question; null: it was answered meanwhile. */
  Schema.Struct({
    ...common,
    reason: Schema.Literal("asks"),
    question: Schema.NullOr(Question.pick("id", "text", "options")),
    silentMs
  }),
  /** A budget that covers it has no room for it before `opensAt`; null: it never has again. */
  Schema.Struct({
    ...common,
    reason: Schema.Literal("budget"),
    budget: HoldView,
    opensAt: Schema.NullOr(Timestamp),
    ahead
  }),
  /** All places of its group are in use. */
  Schema.Struct({ ...common, reason: Schema.Literal("group-limit"), group: GroupName, ...places }),
  /** All places of its goal are in use. */
  Schema.Struct({ ...common, reason: Schema.Literal("goal-limit"), goal: LoopId, ...places }),
  /** `waitingOn` tasks have to end first, `blockedBy` among them; after a wake also pipelines, loops and contests. */
  Schema.Struct({
    ...common,
    reason: Schema.Literal("blocked"),
    waitingOn: Schema.Int,
    blockedBy: Schema.NullOr(TaskId),
    blockedByKind: Schema.NullOr(Kind)
  }),
  /** No worker serves the queue. */
  Schema.Struct({ ...common, reason: Schema.Literal("no-worker"), ahead }),
  /** As many tasks run as may run. */
  Schema.Struct({ ...common, reason: Schema.Literal("concurrency-limit"), ...places }),
  /** There is less memory than another task needs. */
  Schema.Struct({
    ...common,
    reason: Schema.Literal("memory"),
    availableBytes: Schema.Int,
    neededBytes: Schema.Int,
    ahead
  }),
  /** Another task works in its workspace. */
  Schema.Struct({ ...common, reason: Schema.Literal("workspace"), blockedBy: TaskId, ahead }),
  /** It has a worker, which makes its workspace. */
  Schema.Struct({ ...common, reason: Schema.Literal("workspace-cut") }),
  /** Workspaces hold as much as they may, and it needs another one. */
  Schema.Struct({
    ...common,
    reason: Schema.Literal("workspace-bytes"),
    workspaceBytes: Schema.Int,
    workspaceMaxBytes: Schema.Int,
    ahead
  }),
  /** Other tasks start before it. */
  Schema.Struct({ ...common, reason: Schema.Literal("behind"), ahead }),
  /** It waits for nothing: it starts within moments. */
  Schema.Struct({ ...common, reason: Schema.Literal("starting") }),
  /** `tries` starts of its agent failed, the last with `error`. The next one follows within seconds. */
  Schema.Struct({ ...common, reason: Schema.Literal("starting-fails"), tries: Schema.Int, error: Schema.String })
).annotations({ identifier: "Why" })
export type Why = typeof Why.Type

/** The reasons alone. */
export const WhyReason: Schema.Schema<Why["reason"]> = Schema.Literal(
  ...Why.members.flatMap(({ fields }): ReadonlyArray<Why["reason"]> => fields.reason.literals)
)

/** The answer that has this reason. */
export type WhyOf<Reason extends Why["reason"]> = Why extends infer One
  ? One extends { readonly reason: infer Reasons }
    ? Reason extends Reasons
      ? One
      : never
    : never
  : never
