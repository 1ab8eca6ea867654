/** The published JSON Schema of pipeline files says what the reader says. */
import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as JSONSchema from "effect/JSONSchema"
import { FileFrame, FileStep } from "../../../src/domain/pipeline/PipelineFile.ts"
import { pipelineJsonSchema } from "../../../src/programs/pipelines/FileSchemas.ts"

const published: unknown = JSON.parse(
  readFileSync(new URL("../../../schema/pipeline.schema.json", import.meta.url), "utf8")
)

const keysAt = (path: string): ReadonlyArray<string> => {
  const found = path
    .split(" ")
    .reduce<unknown>(
      (inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
      published
    )
  return Object.keys(typeof found === "object" && found !== null ? found : {}).sort()
}

describe("schema/pipeline.schema.json", () => {
  it("is what the source makes of itself: run 'npm run build'", () => {
    assert.deepStrictEqual(published, pipelineJsonSchema())
  })

  it("refuses what the reader refuses: no prompt but blanks, names with blanks, lengths of time below zero", () => {
    const step = JSON.stringify(FileStep.pipe((schema) => JSONSchema.make(schema)))
    for (const rule of [
      '"minLength":1,"pattern":"\\\\S"',
      "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$",
      '"minimum":0,"maximum":0'
    ]) {
      assert.include(step, rule)
    }
  })

  it("knows every key, with a description", () => {
    assert.deepStrictEqual(keysAt("$defs Step properties"), Object.keys(FileStep.fields).sort())
    assert.deepStrictEqual(keysAt("$defs Pipeline properties"), [...Object.keys(FileFrame.fields), "$schema"].sort())
    for (const key of keysAt("$defs Step properties")) {
      assert.include(keysAt(`$defs Step properties ${key}`), "description", key)
    }
  })
})
