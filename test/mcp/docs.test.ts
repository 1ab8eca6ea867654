/** Every example of docs/mcp.md is a call that works. */
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { assert, it } from "vitest"
import { tools } from "../../src/mcp/Tools.ts"
import { makeRepository } from "../support/repository.ts"
import { Beat } from "../system/Beat.ts"
import { Server } from "./Server.ts"

const text = readFileSync(resolve(import.meta.dirname, "../../docs/mcp.md"), "utf8")

/** Name of a tool and an example, in the order of the page. */
const examples = text
  .split(/^### /m)
  .slice(1)
  .flatMap((part) => {
    const name = part.slice(0, part.indexOf("\n"))
    return Array.from(part.matchAll(/```json\n([\s\S]*?)```/g), ([, json = ""]) => ({ name, json }))
  })

it("shows every tool, and every example works", async () => {
  assert.sameMembers(
    [...new Set(examples.map(({ name }) => name))],
    tools.map(({ name }) => name)
  )
  const beat = new Beat()
  makeRepository(beat.home, { "a.txt": "one\n", ".gitignore": "state\n" })
  const server = new Server(beat)
  try {
    await server.initialize()
    let id = ""
    for (const { json, name } of examples) {
      if (name === "TaskDiff") await server.call("WaitTasks", { ids: ["@last"], timeoutMs: 20_000 })
      if (name === "EditTask")
        await server.call("DelegateTask", { agent: "shell", prompt: "true", notBefore: "2099-01-01T00:00:00Z" })
      const answer = await server.call(name, JSON.parse(json.replaceAll("$ID", id)))
      if (name === "WakeMe") {
        assert.match(answer.content[0]?.text ?? "", /only inside a task of Backbeat/)
        continue
      }
      assert.isNotTrue(answer.isError, `${name}: ${answer.content[0]?.text}`)
      if (name === "TaskDiff") assert.strictEqual(answer.structuredContent.files[0].path, "new.txt")
      if (name === "MergeTask") assert.strictEqual(answer.structuredContent.state, "merged")
      if (id === "") id = answer.structuredContent.tasks[0].id
      if (name === "TaskLogs") assert.strictEqual(answer.structuredContent.text, "building\nbuilt")
      if (name === "ListTasks") assert.strictEqual(answer.structuredContent.tasks[0].id, id)
      if (name === "ConfigureAgent")
        assert.deepInclude(answer.structuredContent.settings, { model: "opus", retries: 2 })
    }
  } finally {
    server.kill()
    await beat.close()
  }
})
