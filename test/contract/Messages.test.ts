/** The contract of messages, over every store. */
import { subjects } from "../support/stores.ts"
import { messagesContract } from "./messages.ts"

for (const subject of subjects) messagesContract(subject)
