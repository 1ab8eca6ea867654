/** The contract of limits, over every store. */
import { subjects } from "../support/stores.ts"
import { limitsContract } from "./limits.ts"
import { spareContract } from "./spare.ts"

for (const subject of subjects) {
  limitsContract(subject)
  spareContract(subject)
}
