/** Work that cannot be isolated: what a person is told to do, and to leave out only what was given. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { WrittenSettings } from "../../src/domain/settings/Settings.ts"
import { beat, world } from "./world.ts"

const git = 'run "git init && git add -A && git commit -m start" first'
const shell = { defaultAgent: "shell" }
const files = { "isolated.yaml": "isolate: true\nsteps: [echo]\n", "plain.yaml": "steps: [echo]\n" }

const cases: ReadonlyArray<readonly [ReadonlyArray<string>, string, WrittenSettings?]> = [
  [["run", "--isolate", "x"], `${git}, or leave out --isolate`],
  [["run", "x"], `${git}, or use --no-isolate`, { ...shell, isolate: ["/"] }],
  [["run", "--times", "2", "--best", "true", "x"], git],
  [["loop", "x y", "--until", "true"], git],
  [["goal", "x y", "--until", "true"], git],
  [["pipeline", "run", "--isolate", "plain.yaml"], `${git}, or leave out --isolate`],
  [["pipeline", "run", "--isolate", "isolated.yaml"], git],
  [["pipeline", "run", "isolated.yaml"], git]
]

describe("outside of a repository", () => {
  for (const [words, advice, settings = shell] of cases) {
    it.effect(`beat ${words.join(" ")}${"isolate" in settings ? ", isolated by the setting" : ""}`, () =>
      Effect.gen(function* () {
        const { code, stderr, stdout } = yield* beat(words)
        assert.deepStrictEqual([code, stdout], [2, ""])
        const first = stderr.split("\n")[0] ?? ""
        assert.isTrue(first.endsWith(`is not a git repository, so a task there cannot be isolated: ${advice}`), stderr)
        assert.strictEqual(stderr.includes("--isolate"), advice.includes("--isolate"))
      }).pipe(Effect.provide(world(settings, files)))
    )
  }
})
