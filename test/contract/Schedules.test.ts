/** The contract of schedules, over every database. */
import { databases } from "../support/stores.ts"
import { schedulesContract } from "./schedules.ts"

for (const subject of databases) schedulesContract(subject)
