/** The id of what is made of several tasks. */
import * as Schema from "effect/Schema"
import { ContestId } from "./contest/Contest.ts"
import { LoopId } from "./loop/LoopId.ts"
import { PipelineId } from "./task/Task.ts"

/** It has ended when the last of its steps, rounds or candidates has. */
export const GroupId = Schema.Union(PipelineId, LoopId, ContestId)
export type GroupId = typeof GroupId.Type
