/** The contract of pipelines, over every store. */
import { subjects } from "../support/stores.ts"
import { pipelineContract } from "./pipelines.ts"

for (const subject of subjects) pipelineContract(subject)
