/** The contract of questions, over every database. */
import { databases } from "../support/stores.ts"
import { questionsContract } from "./questions.ts"

for (const subject of databases) questionsContract(subject)
