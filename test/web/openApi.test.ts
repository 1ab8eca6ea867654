/** The document of the API is the one that the package holds, and says of every request what it needs. */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { ContestNotFound } from "../../src/domain/contest/ContestErrors.ts"
import { TaskNotFound } from "../../src/domain/Errors.ts"
import { GroupNotFound } from "../../src/domain/gates/GateErrors.ts"
import { GroupName } from "../../src/domain/gates/GroupName.ts"
import { LoopNotFound } from "../../src/domain/loop/LoopErrors.ts"
import { WorkspaceNotFound } from "../../src/domain/workspace/WorkspaceErrors.ts"
import { openApi } from "../../src/web/api/openApi.ts"
import { problemOf } from "../../src/web/api/Problem.ts"

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
const committed = readFileSync(new URL("../../schema/openapi.json", import.meta.url), "utf8")

const referencesIn = (value: unknown): ReadonlyArray<string> => {
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    name === "$ref" && typeof inner === "string" ? [inner] : referencesIn(inner)
  )
}

describe("schema/openapi.json", () => {
  it("is what the schemas say: npm run build writes it", () => {
    assert.strictEqual(committed, `${JSON.stringify(openApi, null, 2)}\n`)
  })

  it("is OpenAPI 3.1 with the version of the package, and every reference leads somewhere", () => {
    assert.strictEqual(openApi.openapi, "3.1.0")
    assert.strictEqual(openApi.info.version, version)
    const known = Object.keys(openApi.components.schemas).map((name) => `#/components/schemas/${name}`)
    for (const reference of referencesIn(openApi)) assert.include(known, reference)
  })

  it("names the token for every request, and one form for every problem", () => {
    const operations = Object.values(openApi.paths).flatMap((methods) => Object.values(methods))
    assert.isAbove(operations.length, 10)
    const names = operations.map(({ operationId }) => operationId)
    assert.strictEqual(new Set(names).size, names.length)
    for (const { operationId, responses, security, summary } of operations) {
      assert.deepStrictEqual(security, [{ token: [] }], operationId)
      assert.isNotEmpty(summary, operationId)
      assert.include(Object.keys(responses), "default", operationId)
    }
  })
})

describe("problemOf", () => {
  it("answers 404 to every error whose exit code says that something is not there", () => {
    const reference = "zzzzzzzzzzzz"
    for (const error of [
      new TaskNotFound({ reference }),
      new GroupNotFound({ name: GroupName.make("review") }),
      new LoopNotFound({ reference, candidates: [] }),
      new ContestNotFound({ reference, candidates: [] }),
      new WorkspaceNotFound({ reference, candidates: [] })
    ]) {
      const { code, detail, exitCode, status } = problemOf(error)
      assert.deepStrictEqual([status, code, exitCode], [404, error._tag, 3])
      assert.strictEqual(detail, error.message)
    }
    assert.strictEqual(problemOf({ _tag: "MergeConflict", message: "" }).status, 422)
  })
})
