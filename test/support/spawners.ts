/** The spawners under test, and one way to say what becomes of an agent for the real one and the pretended one. */
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { SpawnFailed } from "../../src/domain/Errors.ts"
import type { ProcessIdentity } from "../../src/domain/worker/Process.ts"
import { self } from "../../src/layers/memory/fakes/Processes.ts"
import * as MemorySpawner from "../../src/layers/memory/fakes/Spawner.ts"
import { SpawnerControl } from "../../src/layers/memory/fakes/SpawnerControl.ts"
import { reader } from "../../src/layers/node/process/ProcessReader.ts"
import { Processes } from "../../src/services/Processes.ts"
import type { ClaimedTask } from "../../src/services/Queue.ts"
import type { Spawner } from "../../src/services/Spawner.ts"
import { claimOf, endLater, fileWith, script, withSpawner } from "../layers/node/support.ts"

/** What an agent does once it is started: prints, leaves processes behind, then ends or stays. */
export interface Play {
  readonly stdout?: string
  readonly stderr?: string
  /** Processes that it starts and does not wait for. */
  readonly leaves?: number
  /** `stay`: works on until a TERM. `defy`: until a KILL. */
  readonly last: { readonly exit: number } | { readonly signal: "TERM" | "KILL" } | "stay" | "defy"
}

export interface Harness {
  /** Who starts: a worker. */
  readonly owner: ProcessIdentity
  /** A fresh claim whose agent does this. */
  readonly claim: (play: Play) => ClaimedTask
  /** A claim that cannot be started. */
  readonly broken: Effect.Effect<ClaimedTask>
  /** To be called after each first start: the processes that the agent left behind, once they are there. */
  readonly play: (claimed: ClaimedTask, play: Play) => Effect.Effect<ReadonlyArray<ProcessIdentity>, never, Scope.Scope>
  /** Ends the shim and the agent without a status, as the kernel may when memory runs out. */
  readonly lose: (claimed: ClaimedTask, shim: ProcessIdentity) => Effect.Effect<void>
}

export interface SpawnerSubject {
  readonly name: string
  readonly run: <A, E>(
    body: (harness: Harness) => Effect.Effect<A, E, Spawner | Scope.Scope>
  ) => Effect.Effect<A, E, Scope.Scope>
}

const exitCodes = { TERM: 143, KILL: 137 } as const

/** Claims of the pretended spawner need no place that exists. */
const paper = () => claimOf({ directory: "/nowhere", bootId: self.bootId, launch: { file: "/bin/agent", args: [] } })

export const memory: SpawnerSubject = {
  name: "memory",
  run: (body) =>
    Effect.gen(function* () {
      const control = yield* SpawnerControl
      return yield* body({
        owner: self,
        claim: paper,
        broken: Effect.gen(function* () {
          yield* control.failNext(new SpawnFailed({ reason: "program-missing", subject: "/none", detail: "ENOENT" }))
          return paper()
        }),
        play: (claimed, { leaves, stderr, stdout, last }) =>
          Effect.gen(function* () {
            const { claimId } = claimed.claim
            yield* control.print(claimId, "stdout", stdout ?? "")
            yield* control.print(claimId, "stderr", stderr ?? "")
            const left = yield* Effect.forEach(Array.from({ length: leaves ?? 0 }), () => control.fork(claimId))
            if (last === "stay" || last === "defy") yield* control.obey(claimId, last === "stay" ? "term" : "kill")
            else if ("exit" in last) yield* control.end(claimId, { exitCode: last.exit, signal: null })
            else yield* control.end(claimId, { exitCode: exitCodes[last.signal], signal: `SIG${last.signal}` })
            return left
          }),
        lose: (claimed) => control.lose(claimed.claim.claimId)
      })
    }).pipe(Effect.provide(MemorySpawner.layer))
}

const lastWords = (last: Play["last"]): string => {
  if (last === "stay") return "exec sleep 300"
  if (last === "defy") return "trap '' TERM; exec sleep 300"
  return "exit" in last ? `exit ${last.exit}` : `kill -${last.signal} $$`
}

/** Each pid file appears whole, so that who waits for it reads it whole. */
const told = (name: string, pid: string) => `echo ${pid} >"$BACKBEAT_TASK_ID.${name}"`

const identityOf = (pid: number, bootId: string) =>
  Effect.flatMap(reader.entry(pid), (entry) =>
    entry === null || entry === "unknown"
      ? Effect.dieMessage(`process ${pid} is not there`)
      : Effect.succeed<ProcessIdentity>({ pid, startTime: entry.startTime, bootId })
  )

export const node: SpawnerSubject = {
  name: "node",
  run: (body) =>
    withSpawner(({ bootId, directory }) =>
      Effect.gen(function* () {
        const processes = yield* Processes
        const pidOf = (claimed: ClaimedTask, name: string) =>
          Effect.map(fileWith(join(directory, `${claimed.task.id}.${name}`)), Number)
        return yield* body({
          owner: yield* processes.self,
          claim: ({ leaves, stderr, stdout, last }) => {
            const forks = Array.from(
              { length: leaves ?? 0 },
              (_, index) => `sleep 300 >/dev/null 2>&1 & ${told(`left${index}`, "$!")};`
            )
            const text = `${told("agent", "$$")}; printf %s "$1"; printf %s "$2" >&2; ${forks.join(" ")} ${lastWords(last)}`
            return claimOf({ directory, bootId, launch: script(text, stdout ?? "", stderr ?? "") })
          },
          broken: Effect.sync(() =>
            claimOf({ directory, bootId, launch: { file: join(directory, "no-such-agent"), args: [] } })
          ),
          play: (claimed, { leaves }) =>
            Effect.gen(function* () {
              yield* endLater(yield* pidOf(claimed, "agent"))
              return yield* Effect.forEach(Array.from({ length: leaves ?? 0 }), (_, index) =>
                Effect.flatMap(pidOf(claimed, `left${index}`), (pid) =>
                  Effect.zipRight(endLater(pid), identityOf(pid, bootId))
                )
              )
            }),
          lose: (claimed, shim) =>
            Effect.flatMap(pidOf(claimed, "agent"), (agent) =>
              Effect.sync(() => {
                for (const pid of [shim.pid, agent]) if (pid > 1) process.kill(pid, "SIGKILL")
              })
            )
        })
      })
    )
}

export const spawnerSubjects: ReadonlyArray<SpawnerSubject> = [memory, node]
