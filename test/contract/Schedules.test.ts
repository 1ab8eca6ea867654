/** The contract of schedules, over every store. */
import { subjects } from "../support/stores.ts"
import { schedulesContract } from "./schedules.ts"

for (const subject of subjects) schedulesContract(subject)
