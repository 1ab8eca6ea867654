/** The contract of budgets, over every database. */
import { databases } from "../support/stores.ts"
import { budgetsContract } from "./budgets.ts"

for (const subject of databases) budgetsContract(subject)
