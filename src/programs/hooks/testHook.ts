/** Sends a message to a hook that says that it is a test, once and without a record. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { HookMessage } from "../../domain/hooks/HookMessage.ts"
import { HookSender } from "../../services/HookSender.ts"
import { Ids } from "../../services/Ids.ts"
import { requireHook } from "./requireHook.ts"

const encode = Schema.encodeSync(Schema.parseJson(HookMessage))

export const testHook = Effect.fn("testHook")(function* (name: string) {
  const hook = yield* requireHook(name)
  const now = yield* Clock.currentTimeMillis
  const id = `msg_${(yield* (yield* Ids).uuid).replaceAll("-", "")}`
  if (hook.kind === "otlp") {
    const { testBody } = yield* Effect.promise(() => import("../../domain/traces/traceBody.ts"))
    return yield* (yield* HookSender).send(hook, { id, body: testBody(yield* (yield* Ids).task, now) })
  }
  const body = encode({
    id,
    hook: name,
    kind: "test",
    needsYou: true,
    text: `a test of the hook ${name}`,
    seq: null,
    at: now,
    taskId: null,
    pipelineId: null,
    subject: null,
    data: {},
    agent: null,
    title: null,
    labels: null,
    directory: null,
    depth: null
  })
  return yield* (yield* HookSender).send(hook, { id, body })
})
