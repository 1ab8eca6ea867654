/** The contract of the metrics, over every store. */
import { subjects } from "../support/stores.ts"
import { metricsContract } from "./metrics.ts"

for (const subject of subjects) metricsContract(subject)
