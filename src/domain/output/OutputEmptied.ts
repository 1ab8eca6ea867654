/** The error for a reader whose spool file was emptied or replaced since its last read. */
import * as Schema from "effect/Schema"
import { StreamName } from "./Output.ts"

/** The file of a stream was emptied or written over by its own writer since it was last read. */
export class OutputEmptied extends Schema.TaggedError<OutputEmptied>()("OutputEmptied", {
  stream: StreamName
}) {
  override get message(): string {
    return `The agent emptied its own ${this.stream}.`
  }
}
