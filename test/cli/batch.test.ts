/** `beat run --batch`: one task for each line, all or none, over services in memory. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { JsonError } from "../../src/cli/framework/Json.ts"
import { BatchDocument } from "../../src/cli/output/Batched.ts"
import { mostLines, parseBatch } from "../../src/domain/task/BatchLine.ts"
import { tasksPerTransaction } from "../../src/programs/tasks/submitBatch.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { anyTask } from "../support/tasks.ts"
import { beat, world } from "./world.ts"

const decode = <A, I>(schema: Schema.Schema<A, I>, text: string) => Schema.decodeUnknown(Schema.parseJson(schema))(text)

const all = Effect.flatMap(Tasks, ({ list }) => list(anyTask))

/** The stored tasks, in the order in which they were submitted. */
const stored = Effect.flatMap(Tasks, ({ get }) =>
  Effect.flatMap(all, ({ tasks }) => Effect.forEach([...tasks].reverse(), ({ id }) => get(id)))
)

const files = {
  "prompts.txt": "echo one\r\n\n  echo two\n",
  "lines.jsonl": [
    '{"prompt": "one"}',
    '{"prompt": "two", "agent": "claude", "priority": "P0", "timeout": "5m", "stall": "0", "labels": {"b": "2"}, "directory": "sub"}',
    '{"prompt": "three", "retries": 2, "key": "k", "env": {"A": "1"}}'
  ].join("\n"),
  "unknown.jsonl": '{"prompt": "one"}\n\n{"prompt": "two", "timeot": "5m"}\n',
  "wrong.jsonl": '{"prompt": "one"}\n{"prompt": "two", "timeout": "5 moons"}\n',
  "agent.jsonl": '{"prompt": "one"}\n{"prompt": "two", "agent": "nope"}\n',
  "label.jsonl": '{"prompt": "one"}\n{"prompt": "two", "labels": {"a b": "x"}}\n',
  "variable.jsonl": '{"prompt": "one"}\n{"prompt": "two", "env": "A=1"}\n',
  "text.jsonl": '{"prompt": "one"}\ntwo\n',
  "comma.jsonl": '{"prompt": "one",}\n{"prompt": "two"}\n',
  "later.jsonl": '{"prompt": "one"}\n{"prompt": "two"\n',
  "key.jsonl": '{"prompt": "zero"}\n{"prompt": "one", "key": "k"}\n\n{"prompt": "two", "key": "k"}\n',
  "list.jsonl": '[{"prompt": "one"}]\n',
  "lines.txt": "[ -f a ] && echo one\n{ echo two; }\n",
  "empty.txt": "\n \n",
  "many.txt": Array.from({ length: 2 * tasksPerTransaction + 50 }, (_, index) => `echo ${index}`).join("\n")
}

describe("beat run --batch", () => {
  it.effect("stores a task for each line, with the options, and prints the ids in their order", () =>
    Effect.gen(function* () {
      const seen = yield* beat("run -a shell -p P2 --label a=1 --batch prompts.txt".split(" "))
      const tasks = yield* stored
      assert.strictEqual(seen.code, 0, seen.stderr)
      assert.strictEqual(seen.stdout, tasks.map(({ id }) => `${id}\n`).join(""))
      assert.deepStrictEqual(
        tasks.map(({ agent, labels, priority, prompt }) => ({ agent, labels, priority, prompt })),
        ["echo one", "  echo two"].map((prompt) => ({
          agent: "shell",
          labels: { a: "1" },
          priority: "P2" as const,
          prompt
        }))
      )
    }).pipe(Effect.provide(world({}, files)))
  )

  it.effect("takes what a JSON line says before the options, and prints one document with --json", () =>
    Effect.gen(function* () {
      const seen = yield* beat("run -a shell --label a=1 --json --batch lines.jsonl".split(" "))
      const document = yield* decode(BatchDocument, seen.stdout)
      const [one, two, three] = yield* stored
      assert.deepStrictEqual(
        document.tasks.map(({ created, id, line }) => [created, id, line]),
        [one, two, three].map((task, index) => [true, task?.id, index + 1])
      )
      assert.deepInclude(two, { agent: "claude", priority: "P0", timeoutMs: 300_000, stallMs: null })
      assert.deepInclude(two, { labels: { a: "1", b: "2" }, directory: "/srv/sub" })
      assert.deepInclude(three, { agent: "shell", maxRetries: 2, idempotencyKey: "k", directory: "/srv" })
      const again = yield* beat("run -a shell --label a=1 --batch lines.jsonl".split(" "))
      assert.include(again.stderr, "1 of 3 keys were used before")
      assert.include(again.stdout, `${three?.id}\n`)
    }).pipe(Effect.provide(world({}, files)))
  )

  it.effect("takes lines from stdin", () =>
    Effect.gen(function* () {
      yield* beat(["run", "-a", "shell", "--batch", "-"], { stdin: "echo one\necho two\n" })
      assert.deepStrictEqual(
        (yield* stored).map(({ prompt }) => prompt),
        ["echo one", "echo two"]
      )
    }).pipe(Effect.provide(world()))
  )

  it.effect("stores several parts where there are many lines", () =>
    Effect.gen(function* () {
      const seen = yield* beat("run -a shell --batch many.txt".split(" "))
      const tasks = yield* stored
      assert.strictEqual(tasks.length, 2 * tasksPerTransaction + 50)
      assert.strictEqual(seen.stdout, tasks.map(({ id }) => `${id}\n`).join(""))
      assert.deepStrictEqual(
        tasks.map(({ prompt }) => prompt),
        files["many.txt"].split("\n")
      )
    }).pipe(Effect.provide(world({}, files)))
  )

  for (const [file, code, message] of [
    ["unknown.jsonl", 2, "Line 3 of unknown.jsonl: there is no field 'timeot'. The fields are prompt, agent, model"],
    ["wrong.jsonl", 2, "Line 2 of wrong.jsonl: timeout: "],
    ["label.jsonl", 2, "Line 2 of label.jsonl: labels.a b: keys have 1 to 64 of A-Z a-z 0-9 _ . - /"],
    ["variable.jsonl", 2, "Line 2 of variable.jsonl: env: expected an object of texts"],
    ["text.jsonl", 2, "Line 2 of text.jsonl: it is not a JSON object"],
    ["comma.jsonl", 2, "Line 1 of comma.jsonl: it is not valid JSON"],
    ["later.jsonl", 2, "Line 2 of later.jsonl: it is not valid JSON"],
    ["key.jsonl", 2, "Line 4 of key.jsonl: line 2 has the same key, 'k'"],
    ["list.jsonl", 2, "Line 1 of list.jsonl: it is a JSON list. Write each task as one JSON object"],
    ["empty.txt", 2, "empty.txt: there is no line with a prompt in it"],
    ["agent.jsonl", 2, "line 2 of agent.jsonl is refused, and nothing is stored"]
  ] as const) {
    it.effect(`stores nothing of ${file}, and names the line`, () =>
      Effect.gen(function* () {
        const seen = yield* beat(["run", "-a", "shell", "--batch", file])
        assert.strictEqual(seen.code, code)
        assert.include(seen.stderr, message)
        assert.deepStrictEqual(yield* stored, [])
        const asJson = yield* beat(["run", "-a", "shell", "--json", "--batch", file])
        assert.strictEqual((yield* decode(JsonError, asJson.stdout)).error.exitCode, code)
      }).pipe(Effect.provide(world({}, files)))
    )
  }

  it.effect("names the line whose key belongs to another task, after a part that is stored as well", () =>
    Effect.gen(function* () {
      yield* beat(["run", "-a", "shell", "--key", "k", "other"])
      const line = (index: number) =>
        JSON.stringify({ prompt: `echo ${index}`, ...(index === 102 ? { key: "k" } : {}) })
      const numbers = Array.from({ length: tasksPerTransaction + 10 }, (_, index) => index + 1)
      const seen = yield* beat(["run", "-a", "shell", "--batch", "-"], { stdin: numbers.map(line).join("\n") })
      assert.include(seen.stderr, "100 tasks are stored, and none after them: line 102 of stdin is refused")
      assert.include(seen.stderr, "The key 'k' already belongs to task")
      assert.strictEqual((yield* stored).length, tasksPerTransaction + 1)
      const short = yield* beat(["run", "-a", "shell", "--batch", "-"], { stdin: `${line(1)}\n${line(102)}\n` })
      assert.include(short.stderr, "line 2 of stdin is refused, and nothing is stored")
    }).pipe(Effect.provide(world()))
  )

  it.effect("names all lines of a part where the error shows no line", () =>
    Effect.gen(function* () {
      const first = (yield* beat(["run", "-a", "shell", "first"])).stdout.trim()
      const waiting = ["--after", first, "--after", `${first}:failure`]
      const seen = yield* beat(["run", "-a", "shell", ...waiting, "--batch", "lines.txt"])
      assert.strictEqual(seen.code, 2, seen.stderr)
      assert.include(seen.stderr, "lines 1 to 2 of lines.txt are refused, and nothing is stored")
      assert.strictEqual((yield* stored).length, 1)
    }).pipe(Effect.provide(world({}, files)))
  )

  for (const words of [["a prompt"], ["-f"], ["--key", "k"], ["--setup", "make", "--isolate"], ["--times", "2"]]) {
    it.effect(`is refused with ${words.join(" ")}`, () =>
      Effect.gen(function* () {
        const seen = yield* beat(["run", "-a", "shell", "--batch", "prompts.txt", ...words])
        assert.strictEqual(seen.code, 2)
        assert.include(seen.stderr, "--batch cannot be combined with")
        assert.deepStrictEqual(yield* stored, [])
      }).pipe(Effect.provide(world({}, files)))
    )
  }
})

describe("the lines of a batch", () => {
  it("are the prompts as they are written, with their numbers", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.string(), { minLength: 1 }), (texts) => {
        const lines = texts.map((text) => text.replace(/[\r\n\uFEFF]/g, "").replace(/^(\s*)[{[]/, "$1("))
        const parsed = parseBatch(lines.join("\n"))
        const written = lines.flatMap((prompt, index) => (prompt.trim() === "" ? [] : [{ line: index + 1, prompt }]))
        if (written.length === 0) return assert.isTrue(Either.isLeft(parsed))
        assert.deepStrictEqual(
          Either.getOrThrow(parsed).map(({ fields, line }) => ({ line, prompt: fields.prompt })),
          written
        )
      })
    )
  })

  const read = (...lines: ReadonlyArray<string>) =>
    Either.match(parseBatch(lines.join("\n")), {
      onLeft: ({ line }) => line,
      onRight: (all) => all.map(({ fields }) => fields.prompt)
    })

  for (const lines of [
    ['{"prompt": "a",}', '{"prompt": "b"}'],
    ['{"prompt": "a"'],
    ["{ 'prompt': 'a' }", '{"prompt": "b"}'],
    ['  {prompt: "a"}', '{"prompt": "b"}'],
    ["{", '"prompt": "a"', "}"],
    ["[", '{"prompt": "a"}', "]"],
    ['[{"prompt": "a"},', '{"prompt": "b"}]'],
    ["[1]"],
    ["{}"]
  ]) {
    it(`are refused with their number where JSON is wrong: ${lines.join(" ⏎ ")}`, () => {
      assert.strictEqual(read(...lines), 1)
    })
  }

  for (const lines of [
    ["{ echo a; } > out", "echo b"],
    ["[ -f a ] && echo b"],
    ["say", '{"prompt": "b"}'],
    ["7", '"text"'],
    ["{{name}} is a template"]
  ]) {
    it(`are prompts where the first does not begin as JSON: ${lines.join(" ⏎ ")}`, () => {
      assert.deepStrictEqual(read(...lines), lines)
    })
  }

  it("are bounded", () => {
    const problem = parseBatch("x\n".repeat(mostLines + 1)).pipe(Either.flip, Either.getOrThrow)
    assert.deepStrictEqual(problem, {
      line: null,
      problem: `there are ${mostLines + 1} prompts; a batch takes ${mostLines}`
    })
  })
})
