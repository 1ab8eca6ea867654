/** The contract of the worker registry, over every store. */
import { subjects } from "../support/stores.ts"
import { runtimeContract, workerContract } from "./registry.ts"

for (const subject of subjects) {
  workerContract(subject)
  runtimeContract(subject)
}
