/** Messages to agents over the in-memory store. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { TaskNotFound } from "../../../domain/Errors.ts"
import { type Message, mostWaiting } from "../../../domain/message/Message.ts"
import { MessageConflict, type MessageRefused } from "../../../domain/message/MessageErrors.ts"
import { tooMany } from "../../../domain/message/tooMany.ts"
import { inputFormatOf } from "../../../domain/task/NewTask.ts"
import type { TaskId } from "../../../domain/task/Task.ts"
import { Messages, type NewMessage } from "../../../services/Messages.ts"
import { held } from "./claimGuard.ts"
import { messagesIn, pendingIn, withMessages } from "./MessageState.ts"
import { type State, type Step, Store, type StoredMessage } from "./Store.ts"

const shown = ({ claimId: _, ...message }: StoredMessage): Message => message

const sendOne = (
  state: State,
  message: NewMessage,
  now: number
): Either.Either<Step<Message>, MessageConflict | MessageRefused> => {
  const known = messagesIn(state).find(({ id }) => id === message.id)
  if (known !== undefined) {
    return known.body === message.body
      ? Either.right([shown(known), state])
      : Either.left(new MessageConflict({ id: message.id, taskId: known.taskId }))
  }
  if (pendingIn(state, message.taskId).length >= mostWaiting) return Either.left(tooMany(message.taskId))
  const stored: StoredMessage = {
    ...message,
    seq: state.messages.length + 1,
    at: now,
    state: "stored",
    claimId: null,
    writtenAt: null,
    takenAt: null,
    movedTo: null,
    reason: null
  }
  return Either.right([shown(stored), { ...state, messages: [...state.messages, stored] }])
}

const tasksWith = (state: State, status: (task: { readonly status: string }) => boolean): ReadonlyArray<TaskId> =>
  Array.from(
    new Set(
      messagesIn(state).flatMap((message) => {
        const task = state.tasks.get(message.taskId)?.task
        return message.state === "stored" && task !== undefined && status(task) ? [message.taskId] : []
      })
    )
  )

const make = Effect.gen(function* () {
  const store = yield* Store
  const change = (step: (state: State) => State) =>
    store.write((state) => Either.right([undefined, step(state)] as const))

  return Messages.of({
    recipient: (taskId) =>
      Effect.flatten(
        store.read((state) => {
          const stored = state.tasks.get(taskId)
          if (stored === undefined) return Effect.fail(new TaskNotFound({ reference: taskId }))
          const claim = state.claims.get(taskId)
          const closed = claim !== undefined && state.closedInputs.has(claim.claimId)
          return Effect.succeed({
            status: stored.task.status,
            format: inputFormatOf(stored.launch),
            closed,
            asks: stored.launch.asks ?? null
          })
        })
      ),

    send: (messages) =>
      store.write((state, now) => {
        const { taskId } = messages[0]
        if (!state.tasks.has(taskId)) return Either.left(new TaskNotFound({ reference: taskId }))
        return messages.reduce<
          Either.Either<Step<ReadonlyArray<Message>>, MessageConflict | MessageRefused | TaskNotFound>
        >(
          (before, message) =>
            Either.flatMap(before, ([sent, next]) =>
              Either.map(sendOne(next, message, now), ([one, after]) => [[...sent, one], after] as const)
            ),
          Either.right([[], state] as const)
        )
      }),

    find: (id) =>
      store.read((state) =>
        Option.map(Option.fromNullable(messagesIn(state).find((message) => message.id === id)), shown)
      ),

    list: (taskId, limit) =>
      store.read((state) =>
        messagesIn(state)
          .filter((message) => message.taskId === taskId || message.movedTo === taskId)
          .slice(-limit)
          .map(shown)
      ),

    pending: (taskId) => store.read((state) => pendingIn(state, taskId).map(shown)),

    written: (holder, id) =>
      store.write((state, now) =>
        Either.map(held(state, holder, "be told"), ({ claimId }) => [
          undefined,
          withMessages(state, (message) => message.id === id && message.state === "stored", {
            state: "written",
            claimId,
            writtenAt: now
          })
        ])
      ),

    close: (holder, { whatever }) =>
      store.write((state) =>
        Either.map(held(state, holder, "be closed"), ({ claimId, taskId }): Step<boolean> => {
          if (state.closedInputs.has(claimId)) return [true, state]
          const pending = pendingIn(state, taskId).some(({ kind }) => kind !== "line")
          if (pending && !whatever) return [false, state]
          return [true, { ...state, closedInputs: new Set([...state.closedInputs, claimId]) }]
        })
      ),

    waiting: store.read((state) => tasksWith(state, ({ status }) => status === "running")),
    adrift: store.read((state) =>
      tasksWith(state, ({ status }) => status !== "queued" && status !== "running").slice(0, 100)
    ),
    redirect: (from, to) =>
      change((state) =>
        withMessages(state, (message) => message.taskId === from && message.state === "stored", { taskId: to })
      ),
    drop: (taskId, reason) =>
      change((state) =>
        withMessages(state, (message) => message.taskId === taskId && message.state === "stored", {
          state: "dropped",
          reason
        })
      )
  })
})

export const layer = Layer.effect(Messages, make)
