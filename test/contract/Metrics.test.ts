/** The contract of the metrics, over every database. */
import { databases } from "../support/stores.ts"
import { metricsContract } from "./metrics.ts"

for (const subject of databases) metricsContract(subject)
