/** The contract of budgets, over every store. */
import { subjects } from "../support/stores.ts"
import { budgetsContract } from "./budgets.ts"

for (const subject of subjects) budgetsContract(subject)
