/** Asking a Codex login how full its windows are, over a program that answers as the real one does. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { codexLimits } from "../../../src/layers/agents/asking/codexLimits.ts"
import { temporaryDirectory } from "../../support/home.ts"

/** The answer of Codex 0.171.0, recorded. */
const answer = {
  id: 3,
  result: {
    ordinaryUsageAllowed: null,
    rateLimits: {
      limitId: "codex",
      limitName: null,
      primary: { usedPercent: 42, windowDurationMins: 300, resetsAt: 1795926166 },
      secondary: { usedPercent: 100, windowDurationMins: 10080, resetsAt: 1796208166 },
      credits: { hasCredits: false, unlimited: false, balance: null },
      planType: "plus",
      rateLimitReachedType: null
    }
  }
}
const notLoggedIn = {
  error: { code: -32600, message: "codex account authentication required to read rate limits" },
  id: 3
}

/** A `codex` that answers the third question with this, and stays as the real one does. */
const ask = (directory: string, reply: unknown, more = "exec sleep 60") =>
  Effect.suspend(() => {
    const program = Path.join(directory, "codex")
    const script = [
      "#!/bin/sh",
      `[ "$1" = app-server ] || exit 1`,
      `read a; echo '{"id":1,"result":{"userAgent":"x"}}'`,
      "read b; read c",
      `case "$c" in *account/rateLimits/read*) ;; *) exit 1 ;; esac`,
      `echo '{"method":"remoteControl/status/changed","params":{}}'`,
      `echo '${JSON.stringify(reply)}'`,
      more
    ]
    Fs.writeFileSync(program, script.join("\n"), { mode: 0o755 })
    return codexLimits({ agent: "codex", program, environment: { PATH: process.env.PATH ?? "" }, directory })
  })

describe("asking codex", () => {
  it.scopedLive("gives its windows, and ends the process that was asked", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const windows = Option.getOrThrow(yield* ask(directory, answer))
      assert.deepStrictEqual(
        windows.map(({ closed, resetsAt, used, window }) => [window, used, closed, resetsAt]),
        [
          ["five_hour", 0.42, false, 1_795_926_166_000],
          ["seven_day", 1, true, 1_796_208_166_000]
        ]
      )
    })
  )

  it.scopedLive("gives nothing where there is no login, no answer or no program", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      assert.isTrue(Option.isNone(yield* ask(directory, notLoggedIn)))
      assert.isTrue(Option.isNone(yield* ask(directory, { id: 2 }, "exit 0")))
      const missing = { agent: "codex", program: Path.join(directory, "none"), environment: {}, directory }
      assert.isTrue(Option.isNone(yield* codexLimits(missing)))
      assert.isTrue(Option.isNone(yield* codexLimits({ ...missing, directory: Path.join(directory, "gone") })))
    })
  )
})
