/** The contract of the read model, over every store. */
import { subjects } from "../support/stores.ts"
import { listContract, outlookContract } from "./readModel.ts"
import { resolveContract } from "./resolve.ts"

for (const subject of subjects) {
  listContract(subject)
  outlookContract(subject)
  resolveContract(subject)
}
