/** The contract of the ledger, over every store. */
import { subjects } from "../support/stores.ts"
import { ledgerContract } from "./ledger.ts"

for (const subject of subjects) ledgerContract(subject)
