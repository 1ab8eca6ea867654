/** A store that fails behind a commit: the answer says what is stored, and an error says whether anything may be. */
import Database from "better-sqlite3"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { StorageError } from "../../src/domain/Errors.ts"
import { statesAfter } from "../../src/mcp/statesAfter.ts"
import { Tasks } from "../../src/services/Tasks.ts"
import { sqlLayer } from "../programs/pooled.ts"
import { gitIn, makeRepository } from "../support/repository.ts"
import { submit } from "../support/tasks.ts"
import { Beat, until } from "../system/Beat.ts"
import { Server } from "./Server.ts"

const unreadable = new StorageError({ operation: "read", reason: "unreadable", path: null, cause: null })

describe("an answer about what is stored", () => {
  it("has the tasks as the commit returned them, where they cannot be read", async () => {
    const broken = Effect.map(Tasks, (tasks) => Tasks.of({ ...tasks, summary: () => Effect.fail(unreadable) }))
    const states = Effect.gen(function* () {
      const task = yield* submit()
      const result = { tasks: [{ task, created: true, warnings: [] }], launched: false, problem: Option.none() }
      return { id: task.id, answer: yield* Effect.provideServiceEffect(statesAfter(result), Tasks, broken) }
    })
    const { answer, id } = await Effect.runPromise(Effect.provide(states, sqlLayer()))
    assert.deepStrictEqual(answer.pending, [id])
    assert.deepInclude(answer.tasks[0], { id, status: "queued", agent: "shell" })
  })
})

describe("a write that fails", () => {
  let beat: Beat
  let server: Server
  let database: Database.Database

  beforeEach(async () => {
    beat = new Beat()
    makeRepository(beat.home, { "a.txt": "one\n", ".gitignore": "state\n" })
    server = new Server(beat)
    await server.initialize()
    await server.call("TaskStatus", {})
    database = new Database(beat.databaseFile, { timeout: 5000 })
  })

  afterEach(async () => {
    database.close()
    server.kill()
    await server.exit
    await beat.close()
  })

  const failing = (write: string, when = "1") =>
    database.exec(`CREATE TRIGGER failing BEFORE ${write} WHEN ${when} BEGIN SELECT RAISE(ABORT, 'no room'); END`)
  const mended = () => database.exec("DROP TRIGGER failing")

  it("is told from one that has stored a part", async () => {
    const ids = [await server.delegate("sleep 60"), await server.delegate("sleep 60")]
    failing("UPDATE ON tasks", `NEW.cancel_requested_at IS NOT NULL AND NEW.id = '${ids[1]}'`)
    const partly = await server.call("CancelTask", { ids })
    assert.match(partly.content[0]?.text ?? "", /^StorageError: .*\n.* Part of it may have been done/)
    mended()
    const cancelled = await server.call("CancelTask", { ids })
    assert.strictEqual(cancelled.structuredContent.tasks.length, 2)
    failing("INSERT ON tasks")
    const given = { agent: "shell", prompt: "true" }
    for (const [name, input] of [
      ["DelegateTask", given],
      ["RetryTask", { id: ids[0] }],
      ["ResumeTask", { id: ids[0] }],
      ["CreatePipeline", { steps: [given] }]
    ] as const) {
      const { content } = await server.call(name, input)
      assert.match(content[0]?.text ?? "", /^StorageError: .*\n.* Nothing was started or changed/, name)
    }
    mended()
    assert.lengthOf(beat.rows("SELECT id FROM tasks"), 2)
  }, 300_000)

  it("does not make an error of a merge that is done, and is made up for while the server lives", async () => {
    const merged = async (prompt: string) => {
      const id = await server.delegate(prompt, { isolate: true })
      await until("it ends", () => beat.status(id).status === "completed" || null)
      return server.call("MergeTask", { id, directory: beat.home })
    }
    failing("UPDATE ON merges", "NEW.state = 'merged'")
    const { structuredContent: first } = await merged("echo one > one.txt")
    assert.strictEqual(first.state, "merged")
    assert.strictEqual(gitIn(beat.home, "rev-parse", "HEAD"), first.after)
    mended()
    await until("it is on record", () => beat.rows("SELECT id FROM merges WHERE state = 'merged'").length === 1 || null)
    assert.strictEqual((await merged("echo two > two.txt")).structuredContent.state, "merged")
  }, 300_000)
})
