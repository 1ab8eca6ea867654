/** The contract of the ledger, over every database. */
import { databases } from "../support/stores.ts"
import { ledgerContract } from "./ledger.ts"

for (const subject of databases) ledgerContract(subject)
