/** The commands of schedules, over services in memory. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ScheduleReport } from "../../src/programs/schedules/scheduleReport.ts"
import { beat, world } from "./world.ts"

const report = (text: string) => Schema.decodeUnknown(Schema.parseJson(ScheduleReport))(text)

const create = [
  ..."schedule create --every 1h --timezone UTC --name nightly --max-runs 3 --expires 2030-01-01T00:00".split(" "),
  ..."-a shell true".split(" ")
]

describe("beat schedule create", () => {
  it.effect("refuses words of a loop that do not make one, before anything is stored", () =>
    Effect.gen(function* () {
      const every = ["schedule", "create", "--every", "1h"]
      for (const [words, said] of [
        [["--max", "3", "fix it"], /A loop needs --until, --score or --judge/],
        [["--base", "tree", "fix it"], /A loop needs --until, --score or --judge/],
        [["--score", "./bench", "fix it"], /--score needs --better lower or --better higher/],
        [["--until", "make", "--step", "one"], /A loop works alone, without a pipeline/],
        [["--until", "make", "--group", "review", "fix it"], /--group works for a task, not for a loop/],
        [["--until", "make", "--var", "a=b", "fix it"], /--var works only with --pipeline or --loop/],
        [["--until", "make", "--loop", "loop.yaml", "fix it"], /A prompt and a loop file cannot be combined/],
        // Here no directory is a repository.
        [["--until", "make", "-a", "shell", "fix it"], /git init/]
      ] as const) {
        const refused = yield* beat([...every, ...words])
        assert.strictEqual(refused.code, 2, words.join(" "))
        assert.match(refused.stderr, said)
      }
      assert.match((yield* beat(["schedule", "list"])).stderr, /No schedules/)
    }).pipe(Effect.provide(world({}, { "loop.yaml": "{ prompt: fix, until: make }" })))
  )
})

describe("beat schedule edit", () => {
  it.effect("changes what is given, and takes away what is to be unset", () =>
    Effect.gen(function* () {
      const made = yield* beat(create)
      assert.strictEqual(made.code, 0, made.stderr)
      const before = yield* report((yield* beat(["schedule", "status", "nightly", "--json"])).stdout)
      assert.deepStrictEqual([before.maxRuns, before.expiresAt], [3, Date.UTC(2030, 0, 1)])

      const edited = yield* beat(
        "schedule edit nightly --overlap allow --unset expires --unset max-runs --unset name".split(" ")
      )
      assert.strictEqual(edited.code, 0, edited.stderr)
      const after = yield* report((yield* beat(["schedule", "status", before.id, "--json"])).stdout)
      assert.deepStrictEqual(
        [after.overlap, after.expiresAt, after.maxRuns, after.name, after.timing],
        ["allow", null, null, null, before.timing]
      )
      assert.strictEqual((yield* beat(["schedule", "status", "nightly"])).code, 3)
    }).pipe(Effect.provide(world()))
  )

  it.effect("refuses to set and unset one thing, and to unset what every schedule has", () =>
    Effect.gen(function* () {
      yield* beat(create)
      const both = yield* beat("schedule edit nightly --expires 2h --unset expires".split(" "))
      assert.strictEqual(both.code, 2)
      assert.include(both.stderr, "expires is given as well")
      const overlap = yield* beat("schedule edit nightly --unset overlap".split(" "))
      assert.strictEqual(overlap.code, 2)
      assert.include(overlap.stderr, "name, expires, max-runs")
      assert.strictEqual((yield* beat(["schedule", "edit", "nightly"])).code, 2)
    }).pipe(Effect.provide(world()))
  )
})
