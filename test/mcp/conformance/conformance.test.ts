/** The conformance suite of the protocol's authors against the built server; what does not apply is listed with its reason. */
import { execFile } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join, resolve } from "node:path"
import { promisify } from "node:util"
import * as Schema from "effect/Schema"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { Beat } from "../../system/Beat.ts"
import { Server } from "../Server.ts"
import { Bridge } from "./Bridge.ts"

const run = promisify(execFile)

const manifest = createRequire(import.meta.url).resolve("@modelcontextprotocol/conformance/package.json")
const suite = ["--import", resolve(import.meta.dirname, "node20.mjs"), join(dirname(manifest), "dist", "index.js")]

/** `undeclared`: the capability whose absence is the reason; a server that declares it fails this test. */
const NotApplicable = Schema.Array(
  Schema.Struct({
    scenario: Schema.NonEmptyString,
    reason: Schema.String.pipe(Schema.minLength(20)),
    undeclared: Schema.optional(Schema.NonEmptyString)
  })
)
const notApplicable = Schema.decodeUnknownSync(Schema.parseJson(NotApplicable))(
  readFileSync(resolve(import.meta.dirname, "notApplicable.json"), "utf8")
)

interface Check {
  readonly id: string
  readonly status: "SUCCESS" | "FAILURE" | "WARNING" | "INFO" | "SKIPPED"
  readonly errorMessage?: string
}

const isBad = (status: Check["status"]): boolean => status === "FAILURE" || status === "WARNING"

/** `server-tools-list-2026-11-29T13-20-10-123Z` is a directory of `tools-list`. */
const scenarioOf = (directory: string): string => directory.replace(/^server-/, "").replace(/-\d{4}-\d\d-\d\dT.*$/, "")

describe("the conformance suite", () => {
  const beat = new Beat()
  const server = new Server(beat)
  const checks = new Map<string, ReadonlyArray<Check>>()
  let capabilities: unknown = {}

  beforeAll(async () => {
    capabilities = (await server.initialize()).result?.capabilities
    const id = await server.delegate("echo 123")
    await server.call("WaitTasks", { ids: [id] })
    const bridge = new Bridge(server, {
      tools: {
        test_simple_text: { name: "TaskStatus", arguments: {} },
        test_error_handling: { name: "TaskResult", arguments: { id: "nothing" } }
      },
      prompts: {
        test_simple_prompt: () => ({ name: "review-results" }),
        test_prompt_with_arguments: ({ arg1, arg2 }) => ({ name: "delegate", arguments: { task: arg1, agent: arg2 } })
      },
      resources: {
        "test://static-text": `backbeat://task/${id}/output`,
        "test://template/123/data": `backbeat://task/${id}/result`
      }
    })
    const out = join(beat.home, "conformance")
    const words = [...suite, "server", "--url", await bridge.open(), "--suite", "all", "-o", out]
    // It ends with 1, because what does not apply fails. What it wrote is judged below.
    await run(process.execPath, words, { timeout: 80_000, maxBuffer: 1 << 24 }).catch(() => undefined)
    await bridge.close()
    for (const directory of readdirSync(out))
      checks.set(scenarioOf(directory), JSON.parse(readFileSync(join(out, directory, "checks.json"), "utf8")))
  })

  afterAll(async () => {
    server.kill()
    await server.exit
    await beat.close()
  })

  const passes = (scenario: string): boolean => {
    const all = checks.get(scenario) ?? []
    return all.some(({ status }) => status === "SUCCESS") && !all.some(({ status }) => isBad(status))
  }

  it("passes in every scenario but those that do not apply", () => {
    const listed = new Set(notApplicable.map(({ scenario }) => scenario))
    const due = Array.from(checks.keys()).filter((scenario) => !listed.has(scenario))
    assert.isAtLeast(due.length, 13, "the suite has run")
    for (const scenario of due) {
      const problems = (checks.get(scenario) ?? []).flatMap(({ errorMessage, status }) =>
        isBad(status) ? [errorMessage] : []
      )
      assert.isTrue(passes(scenario), `${scenario}: ${problems.join("; ")}`)
    }
  })

  it("has every scenario of the list, each with a reason that holds", () => {
    for (const { scenario, undeclared } of notApplicable) {
      assert.isTrue(checks.has(scenario), `the suite has no scenario ${scenario}: take it off the list`)
      assert.isFalse(passes(scenario), `${scenario} passes: take it off the list`)
      if (undeclared !== undefined) assert.notNestedProperty(capabilities, undeclared, scenario)
    }
  })

  it("leaves the server well: nothing on stderr, exit code 0", async () => {
    assert.strictEqual(server.stderr, "")
    assert.strictEqual((await server.leave()).code, 0)
  })
})
