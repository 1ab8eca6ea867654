/** The contract of pipelines, over every database. */
import { databases } from "../support/stores.ts"
import { pipelineContract } from "./pipelines.ts"

for (const subject of databases) pipelineContract(subject)
