/** Starts a claim's agent through the shim, once, and waits until the shim has reported its identity. */
import { type ChildProcess, spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import * as fs from "node:fs/promises"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { elapsedMs } from "../../../domain/Elapsed.ts"
import { SpawnFailed } from "../../../domain/Errors.ts"
import { sayText } from "../../../domain/message/AgentInput.ts"
import { inputFormatOf } from "../../../domain/task/NewTask.ts"
import type { ClaimId } from "../../../domain/worker/Claim.ts"
import type { ProcessIdentity } from "../../../domain/worker/Process.ts"
import { failpoint } from "../../../services/Failpoints.ts"
import type { ClaimedTask } from "../../../services/Queue.ts"
import { withoutCall } from "../../agents/starting/CallBound.ts"
import { codeOf } from "../files/SystemCode.ts"
import { reader } from "../process/ProcessReader.ts"
import { setNiceness, withNiceness } from "../process/Restraints.ts"
import { fillArguments } from "../system/PromptArguments.ts"
import { agentEnvironment, successorCommand, toolPath } from "../system/WorkerEnvironment.ts"
import * as Input from "./Input.ts"
import { mounted } from "./Mount.ts"
import { shimArguments } from "./Shim.ts"
import * as Spool from "./Spool.ts"
import { shimEnvironment } from "./shimEnvironment.ts"

interface StartContext {
  /** Directory of all spools. */
  readonly spool: string
  readonly bootId: string
  /** What runs `beat`. */
  readonly command: ReadonlyArray<string>
  /** Shims of this process, each with the signal of its end. */
  readonly own: Map<ClaimId, Deferred.Deferred<void>>
}

/** How long to wait for the shim's identity, in milliseconds. It takes a few, unless the machine is badly loaded. */
const patience = 10_000

const failed = (reason: SpawnFailed["reason"], subject: string, detail: string) =>
  new SpawnFailed({ reason, subject, detail })

/** Fails for problems of a start that can be found before any process is started. */
const checkPlaces = Effect.fn("Spawner.checkPlaces")(function* ({ launch, place, task }: ClaimedTask) {
  const directory = place?.directory ?? task.directory
  yield* Effect.tryPromise({
    try: async () => {
      if (!(await fs.stat(directory)).isDirectory()) throw new Error("not a directory")
    },
    catch: (error) => failed("directory-missing", directory, codeOf(error))
  })
  yield* Effect.tryPromise({
    try: () => fs.access(directory, fs.constants.X_OK),
    catch: (error) => failed("system", `in ${directory}`, codeOf(error))
  })
  yield* Effect.tryPromise({
    try: async () => {
      if (!(await fs.stat(launch.file)).isFile()) throw new Error("not a file")
      await fs.access(launch.file, fs.constants.X_OK)
    },
    catch: (error) => failed("program-missing", launch.file, codeOf(error))
  })
})

/** A row of before the umask was captured holds what only meant something in the call that it came from. */
const capturedOf = ({ environment, launch }: ClaimedTask) =>
  launch.umask === undefined ? withoutCall(environment) : environment

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null

const refusal = (claimed: ClaimedTask, error: unknown): SpawnFailed => {
  const code = codeOf(error)
  return failed(code === "E2BIG" ? "arguments-too-long" : "system", claimed.launch.file, code)
}

export const makeStart = (context: StartContext) => {
  const { bootId, command, own } = context

  /** Starts `sh` with the shim. The handle is kept only for the news of its end. */
  const spawnShim = (claimed: ClaimedTask, files: Spool.SpoolFiles, prompt: string) =>
    Effect.flatMap(Deferred.make<void>(), (ended) =>
      Effect.async<ChildProcess, SpawnFailed>((resume) => {
        try {
          const { launch, place, task, traceparent } = claimed
          const directory = place?.directory ?? task.directory
          const captured = { ...capturedOf(claimed), ...place?.variables }
          const given = shimEnvironment(agentEnvironment(captured, { ...task, directory }, traceparent))
          const [shell, ...options] = given.shell
          const call = shimArguments({
            spool: files.directory,
            bootId,
            // A mounted workspace has to be entered after the mount.
            directory: place?.over == null ? directory : "/",
            input: inputFormatOf(launch) !== null ? null : launch.stdin === "prompt" ? files.prompt : "/dev/null",
            toolPath: toolPath(process.env),
            umask: launch.umask,
            aside: given.aside,
            worker: successorCommand(process.env, command),
            agent: mounted(place, [launch.file, ...fillArguments(launch, prompt, files.prompt)])
          })
          const [program, ...words] = withNiceness(launch.niceness, [shell, ...options, ...call])
          const shim = spawn(program, words, {
            // The shim waits in a directory that no user wants to delete or unmount.
            cwd: "/",
            detached: true,
            env: given.environment,
            stdio: "ignore"
          })
          // The worker may have been launched by a command of a higher niceness.
          if (program === shell && launch.niceness !== undefined && shim.pid !== undefined)
            setNiceness(shim.pid, launch.niceness)
          shim.once("exit", () => Deferred.unsafeDone(ended, Effect.void))
          shim.once("spawn", () => {
            own.set(claimed.claim.claimId, ended)
            resume(Effect.succeed(shim))
          })
          shim.once("error", (error) => resume(Effect.fail(refusal(claimed, error))))
          shim.unref()
        } catch (error) {
          resume(Effect.fail(refusal(claimed, error)))
        }
      })
    )

  /** Waits for the identity that a shim writes; null when it does not come, which `isOver` may report early. */
  const awaitIdentity = Effect.fn("Spawner.awaitIdentity")(function* (files: Spool.SpoolFiles, isOver: () => boolean) {
    const deadline = (yield* elapsedMs) + patience
    let wait = 1
    while (true) {
      // Asked before the look, so that a word written just before the end is still found.
      const over = isOver() || (yield* elapsedMs) >= deadline
      const identity = yield* Spool.shimOf(files)
      if (identity !== null || over) return identity
      yield* Effect.sleep(wait)
      wait = Math.min(20, wait * 1.5)
    }
  })

  /** The token is taken: by an earlier start of this claim, whose shim is the answer, or by who revoked it. */
  const attach = Effect.fn("Spawner.attach")(function* (
    claimed: ClaimedTask,
    files: Spool.SpoolFiles,
    owner: ProcessIdentity
  ) {
    if ((yield* Spool.tokenOf(files)) === "revoked") {
      return yield* failed("system", claimed.launch.file, "the start was revoked")
    }
    yield* Spool.transferOwnership(files, owner)
    const identity = yield* awaitIdentity(files, () => false)
    return identity ?? (yield* failed("system", claimed.launch.file, "an earlier start never reported its identity"))
  })

  /** Settles a start whose shim reported no identity: the shim must either be known or never run an agent. */
  const silent = Effect.fn("Spawner.silent")(function* (
    claimed: ClaimedTask,
    files: Spool.SpoolFiles,
    shim: ChildProcess
  ) {
    const answer = yield* Spool.revoke(files)
    yield* failpoint("silent.revoked")
    if (answer !== "lost") {
      const late = isRunning(shim)
      shim.kill("SIGKILL")
      if (answer !== "won") return yield* answer
      return yield* late
        ? failed("system", claimed.launch.file, "ETIMEDOUT")
        : failed("spool", files.directory, "the start token could not be taken")
    }
    const entry = shim.pid === undefined ? null : yield* reader.entry(shim.pid)
    if (shim.pid === undefined || entry === null || entry === "unknown" || entry.ended) {
      yield* Spool.withdraw(files)
      return yield* failed("spool", files.directory, "the shim could not write")
    }
    const identity: ProcessIdentity = { pid: shim.pid, startTime: entry.startTime, bootId }
    return identity
  })

  return Effect.fn("Spawner.start")(function* (claimed: ClaimedTask, owner: ProcessIdentity) {
    const files = Spool.filesOf(context.spool, claimed.claim.claimId)
    if ((yield* Spool.tokenOf(files)) !== "free") return yield* attach(claimed, files, owner)
    yield* checkPlaces(claimed)
    const prompt = `${claimed.launch.promptPrefix ?? ""}${claimed.task.prompt}`
    yield* failpoint("start.checked")
    yield* Spool.prepare(files, prompt, owner)
    if (claimed.launch.stdin === "stream-json") {
      const id = randomUUID()
      yield* Spool.attempt(files, () => Input.begin(files, id, sayText("stream-json", id, prompt)))
    }
    yield* failpoint("start.prepared")
    const shim = yield* spawnShim(claimed, files, prompt)
    yield* failpoint("start.spawned")
    const identity = yield* awaitIdentity(files, () => !isRunning(shim))
    yield* failpoint("start.told")
    if (identity !== null) return identity
    // A shim that left without a complaint found the token taken: by another start, or by who revoked it.
    const beaten = shim.exitCode === 0 && (yield* Spool.tokenOf(files)) !== "free"
    return beaten ? yield* attach(claimed, files, owner) : yield* silent(claimed, files, shim)
  })
}
