/** The contract of messages, over every database. */
import { databases } from "../support/stores.ts"
import { messagesContract } from "./messages.ts"

for (const subject of databases) messagesContract(subject)
