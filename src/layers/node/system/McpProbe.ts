/** Talks to a freshly started MCP server over its stdin and stdout. */
import { type ChildProcess, spawn } from "node:child_process"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import { ProbeFailed } from "../../../domain/Errors.ts"
import * as Lines from "../../../domain/output/Lines.ts"
import { McpProbe, type ProbedServer } from "../../../services/McpProbe.ts"
import { codeOf } from "../files/SystemCode.ts"

/** The end of its stderr is kept. */
const keptOfStderr = 500

type Answer = { readonly id?: unknown; readonly result?: unknown; readonly error?: { readonly message?: unknown } }

const probed = (child: ChildProcess): ProbedServer => {
  const waiting = new Map<number, Deferred.Deferred<unknown, ProbeFailed>>()
  const ended = Deferred.unsafeMake<number>(FiberId.none)
  let stderr = ""
  const lines = Lines.make()
  let last = 0
  const failure = (problem: string) => new ProbeFailed({ problem, stderr: stderr.trim() })

  const onLine = (line: string) => {
    let answer: Answer
    try {
      answer = JSON.parse(line)
    } catch {
      for (const each of waiting.values()) {
        Deferred.unsafeDone(
          each,
          Effect.fail(failure(`it wrote something to stdout that is not JSON: ${line.slice(0, 80)}`))
        )
      }
      return
    }
    const one = typeof answer.id === "number" ? waiting.get(answer.id) : undefined
    if (one === undefined) return
    Deferred.unsafeDone(
      one,
      answer.error === undefined
        ? Effect.succeed(answer.result)
        : Effect.fail(failure(`it answered with an error: ${String(answer.error.message)}`))
    )
  }
  child.stdout?.on("data", (bytes: Buffer) => {
    for (const line of lines.push(bytes)) if (line !== "") onLine(line)
  })
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-keptOfStderr)
  })
  child.stdin?.on("error", () => undefined)
  child.once("close", (code, signal) => {
    Deferred.unsafeDone(ended, Effect.succeed(code ?? 128))
    for (const each of waiting.values()) {
      Deferred.unsafeDone(each, Effect.fail(failure(`it ended (${signal ?? `exit code ${code}`})`)))
    }
  })

  return {
    request: (method, params, withinMs) =>
      Effect.gen(function* () {
        last += 1
        const id = last
        const answer = yield* Deferred.make<unknown, ProbeFailed>()
        waiting.set(id, answer)
        child.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`)
        return yield* Deferred.await(answer).pipe(
          Effect.timeoutFail({
            duration: withinMs,
            onTimeout: () => failure(`no answer to ${method} within ${withinMs} ms`)
          }),
          Effect.ensuring(Effect.sync(() => waiting.delete(id)))
        )
      }),
    notify: (method) =>
      Effect.sync(() => {
        child.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", method })}\n`)
      }),
    close: (withinMs) =>
      Effect.sync(() => child.stdin?.end()).pipe(
        Effect.zipRight(Deferred.await(ended)),
        Effect.timeoutFail({
          duration: withinMs,
          onTimeout: () => failure(`it was still there ${withinMs} ms after its stdin had been closed`)
        })
      )
  }
}

export const layer = Layer.succeed(
  McpProbe,
  McpProbe.of({
    start: ({ args, command }) =>
      Effect.acquireRelease(
        Effect.async<ChildProcess, ProbeFailed>((resume) => {
          const child = spawn(command, [...args], { stdio: ["pipe", "pipe", "pipe"] })
          child.once("spawn", () => resume(Effect.succeed(child)))
          child.once("error", (error) =>
            resume(new ProbeFailed({ problem: `'${command}' cannot be started (${codeOf(error)})`, stderr: "" }))
          )
        }),
        (child) => Effect.sync(() => child.exitCode === null && child.kill("SIGKILL"))
      ).pipe(Effect.map(probed))
  })
)
