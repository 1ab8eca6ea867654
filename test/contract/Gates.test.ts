/** The contract of gates and groups, over every store. */
import { subjects } from "../support/stores.ts"
import { gatesContract } from "./gates.ts"

for (const subject of subjects) gatesContract(subject)
