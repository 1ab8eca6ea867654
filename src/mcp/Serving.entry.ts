/** What answers the tools of an MCP server: ports that are opened at the first call, and a worker that starts a little later. */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Runtime from "effect/Runtime"
import * as SynchronizedRef from "effect/SynchronizedRef"
import { version } from "../cli/framework/version.ts"
import * as WorkerCommand from "../cli/WorkerCommand.entry.ts"
import { whilePoolFails } from "../domain/RetrySchedules.ts"
import type { Environment } from "../domain/task/NewTask.ts"
import * as Full from "../layers/Full.ts"
import * as Directories from "../layers/node/files/Directories.ts"
import { isMounted, workingDirectory } from "../layers/node/files/Surroundings.ts"
import * as MergeGit from "../layers/node/git/MergeGit.ts"
import * as Failpoints from "../layers/node/system/Failpoints.ts"
import * as LocalZone from "../layers/node/system/LocalZone.ts"
import { stopInTime } from "../programs/serving/handOver.ts"
import { shareWatch } from "../programs/serving/shareWatch.ts"
import * as Pool from "../programs/serving/WorkerPool.ts"
import { EndWatch } from "../services/EndWatch.ts"
import { WorkerLauncher } from "../services/WorkerLauncher.ts"
import { WorkerPool } from "../services/WorkerPool.ts"
import * as ProgressLines from "./protocol/ProgressLines.ts"
import { Session } from "./protocol/Session.ts"

/** The most time for the look at what is left, and for stopping as a whole: after that a worker is launched without the look. */
const handOverWithin = "350 millis"
const stopWithin = "500 millis"

const ports = Full.ports.pipe(Layer.provide(WorkerCommand.layer))

/** All that tools use, except the session. */
const services = Layer.mergeAll(
  Directories.layer,
  MergeGit.layer,
  Layer.scoped(EndWatch, shareWatch),
  LocalZone.layer,
  ProgressLines.layer,
  Failpoints.layer
).pipe(Layer.provideMerge(ports))

const pool = Pool.layer({ kind: "mcp", version, leaveWhenIdle: false, handOverWithin })

/**
 * Built at first use: a client can list the tools before any file is opened. After a failure the next call builds it
 * again. A call that its client cancels in the meantime does not stop the build for other calls. Nothing closes it: the exit
 * of the process does.
 */
const onDemand = <A, E>(layer: Layer.Layer<A, E>) =>
  Effect.map(Ref.make(ManagedRuntime.make(layer)), (current) =>
    Effect.flatMap(Ref.get(current), (made) =>
      Effect.tapErrorCause(made.runtimeEffect, (cause) =>
        Cause.isInterrupted(cause)
          ? Effect.void
          : Ref.update(current, (now) => (now === made ? ManagedRuntime.make(layer) : now))
      )
    )
  )

type Services = Layer.Layer.Success<typeof services> | Session

/** `leaving` returns when the client has disconnected; `environment` is what tasks capture. */
export const makeServing = Effect.fn("makeServing")(function* (
  environment: Environment,
  leaving: Effect.Effect<void>,
  logs: Layer.Layer<never>
) {
  const serving = yield* Deferred.make<void>()
  const worker = yield* SynchronizedRef.make<Option.Option<Fiber.RuntimeFiber<void>>>(Option.none())
  const served = Effect.asVoid(Deferred.succeed(serving, undefined))

  const work = Effect.gen(function* () {
    const { left } = yield* WorkerPool
    yield* served
    yield* left
  }).pipe(Effect.provide(pool))

  const session: Layer.Layer<Session> = Layer.succeed(
    Session,
    Session.of({
      directory: workingDirectory(),
      environment,
      serving: Effect.suspend(() => Effect.zipRight(start, Deferred.await(serving))),
      leaving
    })
  )
  const opened = yield* onDemand(Layer.merge(services, session).pipe(Layer.provideMerge(logs)))

  const working = Effect.flatMap(opened, (runtime) => Effect.provide(work, runtime)).pipe(
    Effect.tapErrorCause((cause) => Effect.logError("the worker pool has stopped", cause)),
    // Tasks stay safe, and tools report the problem: no call waits for a pool that cannot start.
    Effect.ensuring(served),
    Effect.sandbox,
    Effect.retry(whilePoolFails()),
    Effect.ignore,
    Effect.provide(logs),
    Effect.interruptible
  )

  /** Starts the worker once. A server inside a task serves nothing: the worker of that task does. */
  const start: Effect.Effect<void> = isMounted(process.env)
    ? served
    : SynchronizedRef.updateEffect(worker, (started) =>
        Option.isSome(started) ? Effect.succeed(started) : Effect.map(Effect.forkDaemon(working), Option.some)
      )

  const launch = Effect.flatMap(WorkerLauncher, (launcher) => launcher.launch)

  /** Takes the worker off the list and hands its work over; immediately where there is none. */
  const stop = Effect.flatMap(SynchronizedRef.get(worker), (started) =>
    Option.isNone(started)
      ? Effect.void
      : stopInTime({
          stop: Fiber.interrupt(started.value),
          within: stopWithin,
          launch: Effect.flatMap(opened, (runtime) => Effect.provide(launch, runtime))
        })
  ).pipe(
    Effect.catchAllCause((cause) => Effect.logWarning("interrupted: no other worker could be started", cause)),
    Effect.provide(logs)
  )

  /** Runs an effect on the ports themselves: laying them over another runtime costs each call as much as a look into the database. */
  const run = async <A, E>(effect: Effect.Effect<A, E, Services>, signal: AbortSignal) => {
    const runtime = await Effect.runPromiseExit(opened, { signal })
    return Exit.isFailure(runtime)
      ? Exit.failCause(runtime.cause)
      : Runtime.runPromiseExit(runtime.value, effect, { signal })
  }

  return { run, start, stop }
})
