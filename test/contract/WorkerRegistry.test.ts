/** The contract of the worker registry, over every store. */
import { subjects } from "../support/stores.ts"
import { claimContract, workerContract } from "./registry.ts"

for (const subject of subjects) {
  claimContract(subject)
  workerContract(subject)
}
