/** The contract of limits, over every store. */
import { subjects } from "../support/stores.ts"
import { limitsContract } from "./limits.ts"

for (const subject of subjects) limitsContract(subject)
