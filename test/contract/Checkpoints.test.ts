/** The contract of checkpoints, over every database. */
import { databases } from "../support/stores.ts"
import { checkpointsContract } from "./checkpoints.ts"

for (const subject of databases) checkpointsContract(subject)
