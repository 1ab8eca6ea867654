/** Identifiers have their documented form, and do not repeat. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaskId } from "../../../../src/domain/task/Task.ts"
import { ClaimId } from "../../../../src/domain/worker/Claim.ts"
import { WorkerId } from "../../../../src/domain/worker/Worker.ts"
import { layer } from "../../../../src/layers/node/system/Ids.ts"
import { Ids } from "../../../../src/services/Ids.ts"

it.effect("makes ids of the right form that use the whole alphabet and never repeat", () =>
  Effect.gen(function* () {
    const ids = yield* Ids
    const tasks = yield* Effect.replicateEffect(ids.task, 2000)
    assert.isTrue(tasks.every(Schema.is(TaskId)))
    assert.strictEqual(new Set(tasks).size, 2000)
    assert.strictEqual(new Set(tasks.join("")).size, 32)
    assert.isTrue(Schema.is(ClaimId)(yield* ids.claim))
    assert.isTrue(Schema.is(WorkerId)(yield* ids.worker))
    assert.match(yield* ids.uuid, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  }).pipe(Effect.provide(layer))
)

it.effect("digests the UTF-8 bytes of a text", () =>
  Effect.gen(function* () {
    const ids = yield* Ids
    // FIPS 180-2, appendix B.1.
    const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert.strictEqual(yield* ids.digest("abc"), abc)
    assert.notStrictEqual(yield* ids.digest("é"), yield* ids.digest("e"))
  }).pipe(Effect.provide(layer))
)
