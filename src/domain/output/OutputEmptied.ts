/** What a reader of a spool file is told when the file is not the one that it has read. */
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
