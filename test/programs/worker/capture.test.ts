/** Capture over a file that its own writer empties, with a real agent: what is printed later is never lost. */
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MemoryOutput from "../../../src/layers/memory/store/OutputStore.ts"
import * as MemoryState from "../../../src/layers/memory/store/State.ts"
import { capture, progressOf } from "../../../src/programs/worker/capture.ts"
import { OutputStore } from "../../../src/services/OutputStore.ts"
import type { ClaimedTask } from "../../../src/services/Queue.ts"
import { claimOf, ended, fileWith, script, start, withSpawner } from "../../layers/node/support.ts"

const text = (claimed: ClaimedTask, stream: "stdout" | "stderr") =>
  Effect.gen(function* () {
    const store = yield* OutputStore
    const chunks = yield* store.read({ taskId: claimed.task.id, stream, after: -1, limit: 1000 })
    return chunks.map(({ bytes }) => new TextDecoder().decode(bytes)).join("")
  })

const long = (name: string) => Array.from({ length: 200 }, (_, index) => `${name} ${index}`)

/** Prints a lot, waits for the look, does this, then prints `lines` more. */
const scenario = (step: string, lines: number, stream: 1 | 2 = 1) => `
  n=0; while [ $n -lt 200 ]; do echo "A $n" >&${stream}; n=$((n+1)); done; echo >looked.1
  while [ ! -e go.1 ]; do sleep 0.02; done
  ${step}
  n=0; while [ $n -lt ${lines} ]; do echo "B $n" >&${stream}; n=$((n+1)); done; echo >looked.2
  while [ ! -e go.2 ]; do sleep 0.02; done
  echo last >&${stream}`

describe("a stream whose own writer empties its file", () => {
  for (const [name, step, lines, stream] of [
    ["to nothing", 'sh -c ": >/dev/stdout"', 3, "stdout"],
    ["and grows past its old size between two looks", 'sh -c ": >/dev/stdout"', 900, "stdout"],
    ["to a size above zero", "truncate -s 50 /dev/stdout", 3, "stdout"],
    ["twice", 'sh -c ": >/dev/stdout"; sh -c "echo between >/dev/stdout; : >/dev/stdout"', 3, "stdout"],
    ["on stderr", 'sh -c ": >/dev/stderr"', 3, "stderr"]
  ] as const) {
    for (const adopted of [false, true]) {
      it.scopedLive(
        `loses nothing that is printed later: ${name}${adopted ? ", with a new owner for each look" : ""}`,
        () =>
          withSpawner(({ bootId, directory }) =>
            Effect.gen(function* () {
              const text2 = scenario(step, lines, stream === "stdout" ? 1 : 2)
              const claimed = claimOf({ directory, bootId, launch: script(text2) })
              let progress = yield* progressOf(claimed)
              const look = Effect.gen(function* () {
                if (adopted) progress = yield* progressOf(claimed)
                yield* capture(claimed, progress, 8)
              })
              yield* start(claimed)
              for (const at of [1, 2]) {
                yield* fileWith(join(directory, `looked.${at}`))
                yield* look
                fs.writeFileSync(join(directory, `go.${at}`), "")
              }
              yield* ended(claimed)
              yield* look
              const seen = (yield* text(claimed, stream)).split("\n").filter((line) => line !== "")
              assert.deepStrictEqual(seen.slice(0, 200), long("A"))
              for (let line = 0; line < lines; line++) assert.include(seen, `B ${line}`)
              assert.strictEqual(seen.filter((line) => line === "last").length, 1)
              const states = yield* (yield* OutputStore).streams(claimed.task.id)
              assert.isAbove(states.find((state) => state.stream === stream)?.emptied ?? 0, 0)
              assert.strictEqual(states.find((state) => state.stream !== stream)?.emptied ?? 0, 0)
            }).pipe(Effect.provide(MemoryOutput.layer.pipe(Layer.provideMerge(MemoryState.layer))))
          )
      )
    }
  }
})
