/** The contract of checkpoints, over every store. */
import { subjects } from "../support/stores.ts"
import { checkpointsContract } from "./checkpoints.ts"

for (const subject of subjects) checkpointsContract(subject)
