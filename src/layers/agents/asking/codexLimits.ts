/**
 * How full the windows of a Codex login are: `account/rateLimits/read` of `codex app-server`, which asks the account and no
 * model. With an API key it answers with an error. Tried with Codex 0.171.0: 141 ms.
 */
import { spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Seen } from "../../../domain/limits/Signal.ts"
import * as Lines from "../../../domain/output/Lines.ts"
import type { ReadRequest } from "../../../services/LimitReader.ts"
import { loose, number, reader } from "../reading/Printed.ts"
import { codexWindow } from "../records/codexWindow.ts"

const patienceMs = 10_000
const mostBytes = 1024 * 1024

/** The id of the question; the two before it are the handshake. */
const question = 3

const WindowInfo = loose(
  Schema.Struct({ usedPercent: number, windowDurationMins: number, resetsAt: Schema.optional(Schema.Unknown) })
)

const read = reader(
  Schema.Struct({
    id: number,
    result: loose(Schema.Struct({ rateLimits: loose(Schema.Struct({ primary: WindowInfo, secondary: WindowInfo })) }))
  })
)

/** The windows in an answer; null where the line is not the answer. */
const windowsIn = (line: string): ReadonlyArray<Seen> | null => {
  const answer = read(line)
  if (answer?.id !== question) return null
  const { primary, secondary } = answer.result?.rateLimits ?? {}
  return [primary, secondary].flatMap((window) =>
    codexWindow(window?.usedPercent, window?.windowDurationMins, window?.resetsAt)
  )
}

const handshake = [
  { id: 1, method: "initialize", params: { clientInfo: { name: "backbeat", title: "Backbeat", version: "0" } } },
  { method: "initialized" },
  { id: question, method: "account/rateLimits/read" }
]

export const codexLimits = ({
  directory,
  environment,
  program
}: ReadRequest): Effect.Effect<Option.Option<ReadonlyArray<Seen>>> =>
  Effect.async<Option.Option<ReadonlyArray<Seen>>>((resume) => {
    const child = spawn(program, ["app-server"], {
      cwd: directory,
      env: { ...environment },
      stdio: ["pipe", "pipe", "ignore"]
    })
    const lines = Lines.make(mostBytes)
    let read = 0
    const done = (windows: ReadonlyArray<Seen>) => {
      child.kill("SIGKILL")
      resume(Effect.succeed(windows.length === 0 ? Option.none() : Option.some(windows)))
    }
    child.once("error", () => done([]))
    child.once("close", () => done([]))
    // It may be gone before it has read all.
    child.stdin.on("error", () => undefined)
    child.stdout.on("data", (bytes: Buffer) => {
      read += bytes.length
      const answer = lines
        .push(bytes)
        .map(windowsIn)
        .find((windows) => windows !== null)
      if (answer !== undefined && answer !== null) done(answer)
      else if (read > mostBytes) done([])
    })
    child.stdin.write(handshake.map((message) => `${JSON.stringify(message)}\n`).join(""))
    return Effect.sync(() => child.kill("SIGKILL"))
  }).pipe(
    Effect.timeoutTo({ duration: patienceMs, onSuccess: (found) => found, onTimeout: () => Option.none() }),
    // A directory or a program that is gone.
    Effect.catchAllDefect(() => Effect.succeedNone)
  )
