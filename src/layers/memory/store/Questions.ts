/** Questions over the in-memory store. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { TaskNotFound, TaskStateConflict } from "../../../domain/Errors.ts"
import { type Question, QuestionId, questionBounds, questionName } from "../../../domain/questions/Question.ts"
import { QuestionClosed, QuestionNotFound, TooManyQuestions } from "../../../domain/questions/QuestionErrors.ts"
import { type Asked, Questions } from "../../../services/Questions.ts"
import { changed, type State, Store, taskIn } from "./Store.ts"

const mostListed = 200

const all = (state: State): ReadonlyArray<Question> => state.questions.map(({ question }) => question)

const same = (state: State, { askedBy, taskId, text }: Asked): Question | undefined =>
  all(state).findLast(
    (one) =>
      one.taskId === taskId &&
      one.text === text &&
      (taskId !== null || (one.askedBy === askedBy && (one.state === "open" || one.state === "answered")))
  )

const room = (
  state: State,
  { taskId }: Asked
): Either.Either<void, TaskNotFound | TaskStateConflict | TooManyQuestions> => {
  if (taskId !== null) {
    const task = taskIn(state, taskId)
    if (task === undefined) return Either.left(new TaskNotFound({ reference: taskId }))
    if (task.status !== "running") {
      return Either.left(new TaskStateConflict({ id: taskId, step: "ask", actual: task.status }))
    }
    if (task.asks >= questionBounds.openOfTask) return Either.left(new TooManyQuestions({ bound: "openOfTask" }))
    const own = all(state).filter((one) => one.taskId === taskId).length
    if (own >= questionBounds.ofTask) return Either.left(new TooManyQuestions({ bound: "ofTask" }))
  }
  const open = all(state).filter((one) => one.state === "open").length
  return open >= questionBounds.open ? Either.left(new TooManyQuestions({ bound: "open" })) : Either.void
}

const replaced = (state: State, question: Question): State => ({
  ...state,
  questions: state.questions.map((stored) => (stored.question.id === question.id ? { ...stored, question } : stored))
})

const counted = (state: State, { taskId }: Question, by: 1 | -1): State => {
  const task = taskId === null ? undefined : taskIn(state, taskId)
  return task === undefined || task.endedAt !== null ? state : changed(state, task.id, { asks: task.asks + by })
}

const make = Effect.gen(function* () {
  const store = yield* Store

  const find = (state: State, id: QuestionId) => all(state).find((one) => one.id === id)

  return Questions.of({
    toReply: (claimId) =>
      store.read((state) =>
        state.requests.flatMap(({ claimId: own, questions, request, ruled, seq, written }) => {
          if (own !== claimId || written) return []
          if (ruled !== null) return [{ seq, request, answers: [ruled] }]
          const answers = questions.flatMap((id) => {
            const found = find(state, id)
            return found === undefined || found.answer === null ? [] : [{ denied: found.denied, text: found.answer }]
          })
          return answers.length === questions.length ? [{ seq, request, answers }] : []
        })
      ),

    replied: (seq) =>
      store.write((state) =>
        Either.right([
          undefined,
          { ...state, requests: state.requests.map((one) => (one.seq === seq ? { ...one, written: true } : one)) }
        ] as const)
      ),

    ask: (asked) =>
      store.write((state, now) =>
        Either.gen(function* () {
          const known = same(state, asked)
          if (known !== undefined) return [known, state] as const
          yield* room(state, asked)
          const question: Question = {
            ...asked,
            id: QuestionId.make(state.lastQuestion + 1),
            state: "open",
            askedAt: now,
            answer: null,
            denied: false,
            answeredBy: null,
            answeredAt: null
          }
          const questions = [...state.questions, { question, claimId: null }]
          return [question, counted({ ...state, lastQuestion: question.id, questions }, question, 1)] as const
        })
      ),

    get: Effect.fn("Questions.get")(function* (id) {
      const found = yield* store.read((state) => find(state, id))
      return found === undefined ? yield* new QuestionNotFound({ reference: questionName(id) }) : found
    }),

    open: store.read((state) =>
      all(state)
        .filter((one) => one.state === "open")
        .slice(0, mostListed)
    ),

    ofTask: (id) => store.read((state) => all(state).filter(({ taskId }) => taskId === id)),

    ofClaim: (id) =>
      store.read((state) => state.questions.filter(({ claimId }) => claimId === id).map(({ question }) => question)),

    answer: (id, { by, denied, text }) =>
      store.write((state, now) =>
        Either.gen(function* () {
          const found = find(state, id)
          if (found === undefined) return yield* Either.left(new QuestionNotFound({ reference: questionName(id) }))
          const { answer, answeredAt, answeredBy } = found
          if (found.state !== "open") {
            return yield* Either.left(new QuestionClosed({ id, by: answeredBy, at: answeredAt, answer }))
          }
          const question: Question = {
            ...found,
            state: "answered",
            answer: text,
            denied,
            answeredBy: by,
            answeredAt: now
          }
          return [question, counted(replaced(state, question), question, -1)] as const
        })
      ),

    take: (id) =>
      store.write((state) => {
        const found = find(state, id)
        return Either.right([
          undefined,
          found?.state === "answered" ? replaced(state, { ...found, state: "taken" }) : state
        ] as const)
      })
  })
})

export const layer = Layer.effect(Questions, make)
