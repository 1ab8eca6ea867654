/** Sends messages of hooks from this machine. The implementation is loaded at the first message, because few processes send one. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Hook } from "../../../domain/hooks/Hook.ts"
import { type HookMessage, HookMessage as Message } from "../../../domain/hooks/HookMessage.ts"
import { Summary } from "../../../domain/hooks/Summary.ts"
import { HookSender, type Parcel } from "../../../services/HookSender.ts"
import { Paths } from "../../../services/Paths.ts"
import { withoutPlace } from "../../agents/starting/EnvironmentCapture.ts"
import type { OpenHook } from "./sendParcel.ts"

const decode = Schema.decodeUnknownOption(Schema.parseJson(Schema.Union(Message, Summary)))

type Content = HookMessage | Summary

/** The process's own environment, with what happened. A task that the command submits is one level deeper than the task of the notice. */
const environmentOf = (hook: string, { body, id }: Parcel): Record<string, string> => {
  const own = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  )
  const content: Content | null = Option.getOrNull(decode(body))
  const message = content !== null && "taskId" in content ? content : null
  const status = message?.data.status
  const told = {
    KIND: content?.kind,
    TEXT: content?.text,
    NEEDS_YOU: content?.needsYou === true ? "1" : undefined,
    SEQ: message?.seq?.toString(),
    TASK: message?.taskId,
    PIPELINE: message?.pipelineId,
    AGENT: message?.agent,
    TITLE: message?.title,
    DIRECTORY: message?.directory,
    STATUS: typeof status === "string" ? status : null
  }
  return {
    ...withoutPlace(own),
    ...(typeof content?.depth === "number" ? { BACKBEAT_DEPTH: String(content.depth) } : {}),
    BACKBEAT_HOOK: hook,
    BACKBEAT_EVENT_ID: id,
    ...Object.fromEntries(
      Object.entries(told).flatMap(([name, value]) =>
        value === undefined || value === null ? [] : [[`BACKBEAT_EVENT_${name}`, value.replaceAll("\0", "")]]
      )
    )
  }
}

const opened = (hook: Hook): OpenHook => ({
  ...hook,
  secret: hook.secret === undefined ? null : Redacted.value(hook.secret),
  token: hook.token === undefined ? null : Redacted.value(hook.token),
  headers: Record.map(hook.headers ?? {}, Redacted.value)
})

export const layer = Layer.effect(
  HookSender,
  Effect.map(Paths, ({ home }) =>
    HookSender.of({
      send: (hook, parcel) =>
        Effect.flatMap(
          Effect.promise(() => import("./sendParcel.ts")),
          ({ sendParcel }) =>
            Effect.async((resume) => {
              const abort = new AbortController()
              const sent = sendParcel(
                opened(hook),
                parcel,
                {
                  directory: home,
                  environment: hook.kind === "run" || hook.kind === "desktop" ? environmentOf(hook.name, parcel) : {}
                },
                abort.signal
              )
              sent.then((outcome) => resume(Effect.succeed(outcome)))
              return Effect.promise(() => {
                abort.abort()
                return sent
              })
            })
        )
    })
  )
)
