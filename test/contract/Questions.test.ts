/** The contract of questions, over every store. */
import { subjects } from "../support/stores.ts"
import { questionsContract } from "./questions.ts"

for (const subject of subjects) questionsContract(subject)
