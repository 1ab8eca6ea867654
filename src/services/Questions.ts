/** Questions of agents to people: stored before anyone waits, and answered once. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { StorageError, TaskNotFound, TaskStateConflict } from "../domain/Errors.ts"
import type { AnsweredRequest } from "../domain/questions/AgentRequest.ts"
import type { Question, QuestionId, Reply } from "../domain/questions/Question.ts"
import type { QuestionClosed, QuestionNotFound, TooManyQuestions } from "../domain/questions/QuestionErrors.ts"
import type { TaskId } from "../domain/task/Task.ts"
import type { ClaimId } from "../domain/worker/Claim.ts"

export type Asked = Pick<Question, "taskId" | "askedBy" | "text" | "options">

export class Questions extends Context.Tag("backbeat/Questions")<
  Questions,
  {
    /**
     * Stores a question, and returns after the commit. A question that the task has asked before comes back as it is now;
     * outside of a task only one whose answer was not taken yet does. A task must be running, and is not claimed while
     * a question of it is open.
     */
    readonly ask: (
      asked: Asked
    ) => Effect.Effect<Question, TaskNotFound | TaskStateConflict | TooManyQuestions | StorageError>
    readonly get: (id: QuestionId) => Effect.Effect<Question, QuestionNotFound | StorageError>
    /** Open questions, oldest first, at most 200. */
    readonly open: Effect.Effect<ReadonlyArray<Question>, StorageError>
    /** Of these questions, any number, those that are open: one statement for all of them. */
    readonly openOf: (ids: ReadonlyArray<QuestionId>) => Effect.Effect<ReadonlyArray<QuestionId>, StorageError>
    /** All questions of a task, oldest first, at most 1000. */
    readonly ofTask: (id: TaskId) => Effect.Effect<ReadonlyArray<Question>, StorageError>
    /** The answered questions that the turn of this claim begins with, oldest first. */
    readonly ofClaim: (claimId: ClaimId) => Effect.Effect<ReadonlyArray<Question>, StorageError>
    /** The first answer counts; a later one, or one to a question whose task has ended, is a `QuestionClosed`. */
    readonly answer: (
      id: QuestionId,
      reply: Reply
    ) => Effect.Effect<Question, QuestionNotFound | QuestionClosed | StorageError>
    /** What the agent of a claim has asked over its stream and can be answered now, oldest first, at most 100. */
    readonly toReply: (claimId: ClaimId) => Effect.Effect<ReadonlyArray<AnsweredRequest>, StorageError>
    /** The answer to this request was handed over: `toReply` has it no more. */
    readonly replied: (seq: number) => Effect.Effect<void, StorageError>
    /** The agent has got the answer. No change where it has it already or there is none. */
    readonly take: (id: QuestionId) => Effect.Effect<void, StorageError>
  }
>() {}
