/** The skill file: put where each agent looks, brought up to date, and only ever taken out by who wrote it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ClientFiles, layer } from "../../../src/layers/memory/fakes/McpClients.ts"
import { installSkill, SkillAgent, skillFile, skillStates, uninstallSkill } from "../../../src/programs/setup/Skills.ts"

describe("a skill", () => {
  it.effect("is installed for every agent in its own directory, once, and is gone after it was removed", () =>
    Effect.gen(function* () {
      const files = yield* ClientFiles
      for (const agent of SkillAgent.literals) {
        const { changed, file } = yield* installSkill(agent)
        assert.isTrue(changed)
        assert.match(file, /\/skills\/backbeat\/SKILL\.md$/)
        assert.strictEqual(files.get(file), yield* skillFile)
        assert.isFalse((yield* installSkill(agent)).changed)
      }
      assert.strictEqual(files.size, SkillAgent.literals.length)
      for (const agent of SkillAgent.literals) {
        assert.isTrue((yield* uninstallSkill(agent)).changed)
        assert.isFalse((yield* uninstallSkill(agent)).changed)
      }
      assert.strictEqual(files.size, 0)
    }).pipe(Effect.provide(layer))
  )

  it.effect("of an older version is brought up to date", () =>
    Effect.gen(function* () {
      const files = yield* ClientFiles
      const { file } = yield* installSkill("claude")
      files.set(file, (yield* skillFile).replace(/\n[^\n]*\n$/, "\nolder words\n"))
      const state = Effect.map(skillStates, (states) => states.find(({ agent }) => agent === "claude")?.state)
      assert.strictEqual(yield* state, "outdated")
      assert.isTrue((yield* installSkill("claude")).changed)
      assert.strictEqual(yield* state, "installed")
      assert.strictEqual(files.get(file), yield* skillFile)
    }).pipe(Effect.provide(layer))
  )

  it.effect("of another author is neither replaced nor removed", () =>
    Effect.gen(function* () {
      const files = yield* ClientFiles
      const { file } = yield* installSkill("claude")
      files.set(file, "my own words")
      for (const attempt of [installSkill("claude"), uninstallSkill("claude")]) {
        const refused = yield* Effect.flip(attempt)
        assert.strictEqual(refused._tag, "ConfigInvalid")
        assert.include(refused.message, "was not written by Backbeat")
      }
      assert.strictEqual(files.get(file), "my own words")
    }).pipe(Effect.provide(layer))
  )
})

describe("the skill", () => {
  it.effect("begins with the name and the description that agents choose it by", () =>
    Effect.gen(function* () {
      assert.match(yield* skillFile, /^---\nname: backbeat\ndescription: [^\n]{20,}\n---\n/)
    })
  )
})
