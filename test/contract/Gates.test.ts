/** The contract of gates and groups, over every database. */
import { databases } from "../support/stores.ts"
import { gatesContract } from "./gates.ts"

for (const subject of databases) gatesContract(subject)
