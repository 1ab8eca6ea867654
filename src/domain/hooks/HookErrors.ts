/** What goes wrong with hooks. */
import * as Schema from "effect/Schema"

export class HookNotFound extends Schema.TaggedError<HookNotFound>()("HookNotFound", {
  name: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const known =
      this.known.length === 0 ? "There is none yet; to add one: beat hooks add" : `Known: ${this.known.join(", ")}`
    return `There is no hook '${this.name}'. ${known}`
  }
}

export class DeliveryNotFound extends Schema.TaggedError<DeliveryNotFound>()("DeliveryNotFound", {
  hook: Schema.String,
  seq: Schema.Int
}) {
  override get message(): string {
    return `There is no notice ${this.seq} that can be sent to '${this.hook}'. 'beat hooks log ${this.hook}' and 'beat events' show the numbers.`
  }
}
