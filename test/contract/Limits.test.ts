/** The contract of limits, over every database. */
import { databases } from "../support/stores.ts"
import { limitsContract } from "./limits.ts"
import { spareContract } from "./spare.ts"

for (const subject of databases) {
  limitsContract(subject)
  spareContract(subject)
}
