/** What goes wrong with gates and groups. */
import * as Schema from "effect/Schema"
import { GroupName } from "./GroupName.ts"

export class GroupNotFound extends Schema.TaggedError<GroupNotFound>()("GroupNotFound", { name: GroupName }) {
  override get message(): string {
    return `There is no group '${this.name}'. 'beat group list' shows the groups; to make it: beat group set ${this.name} --limit 2`
  }
}
