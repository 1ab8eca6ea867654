/** Errors about pipelines that a caller distinguishes. */
import * as Schema from "effect/Schema"
import { OtherKind, otherKindText } from "../OtherKind.ts"
import { PipelineId, TaskStatus } from "../task/Task.ts"
import { PipelineProblem } from "./Pipeline.ts"

/** `file:line:column: message. Hint`, as editors and compilers have it. */
export const problemText = (source: string | null, { column, hint, line, message }: PipelineProblem): string =>
  `${source === null ? "" : `${source}:${line}:${column}: `}${message}${hint === null ? "" : `. ${hint}`}`

/** A pipeline file that cannot be run: all that is wrong with it, in the order of the text. */
export class PipelineInvalid extends Schema.TaggedError<PipelineInvalid>()("PipelineInvalid", {
  /** The file; null where it was none, and the places say nothing. */
  source: Schema.NullOr(Schema.String),
  problems: Schema.Array(PipelineProblem)
}) {
  override get message(): string {
    return this.problems.map((problem) => problemText(this.source, problem)).join("\n")
  }
}

/** No pipeline has this reference, or several do. */
export class PipelineNotFound extends Schema.TaggedError<PipelineNotFound>()("PipelineNotFound", {
  reference: Schema.String,
  /** Ids that the reference fits, where it fits several. */
  candidates: Schema.Array(Schema.String),
  /** What it names instead. */
  other: Schema.optional(OtherKind)
}) {
  override get message(): string {
    if (this.other !== undefined) return otherKindText(this.other, "pipeline")
    if (this.candidates.length > 0) {
      return `'${this.reference}' fits several pipelines: ${this.candidates.join(", ")}. Give more characters.`
    }
    return this.reference === "@last"
      ? "There is no pipeline yet. Start one: beat pipeline run FILE"
      : `No pipeline '${this.reference}'. 'beat pipeline list' shows the ids.`
  }
}

/** The idempotency key was used before for a different pipeline. */
export class PipelineKeyConflict extends Schema.TaggedError<PipelineKeyConflict>()("PipelineKeyConflict", {
  key: Schema.String,
  existing: PipelineId
}) {
  override get message(): string {
    return `The key '${this.key}' already belongs to pipeline ${this.existing}, which has other steps. Use a new key.`
  }
}

/** Only a pipeline that failed or was cancelled can be retried. */
export class PipelineStateConflict extends Schema.TaggedError<PipelineStateConflict>()("PipelineStateConflict", {
  id: PipelineId,
  actual: TaskStatus
}) {
  override get message(): string {
    return this.actual === "completed"
      ? `Pipeline ${this.id} is completed: it has no step to run again. Run its file again instead.`
      : `Pipeline ${this.id} is ${this.actual}: it cannot be retried now. Wait for its end: beat wait ${this.id}`
  }
}

/** Another retry of the pipeline is in progress: two at the same time would run its steps twice. */
export class PipelineRetryConflict extends Schema.TaggedError<PipelineRetryConflict>()("PipelineRetryConflict", {
  id: PipelineId,
  /** The pipeline that is its retry, and has not ended. */
  by: PipelineId
}) {
  override get message(): string {
    return `Pipeline ${this.id} is already being retried as ${this.by}. Wait for it: beat wait ${this.by}`
  }
}
