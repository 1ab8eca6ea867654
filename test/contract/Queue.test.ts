/** The contract of the queue, over every store. */
import { databases, subjects } from "../support/stores.ts"
import { cancelContract } from "./cancel.ts"
import { claimContract } from "./claim.ts"
import { dependencyContract } from "./dependencies.ts"
import { enqueueContract } from "./enqueue.ts"
import { finishContract } from "./finish.ts"
import { pausesContract } from "./pauses.ts"
import { pruneContract, pruneRestContract } from "./prune.ts"
import { requeueContract } from "./requeue.ts"

for (const subject of subjects) {
  enqueueContract(subject)
  claimContract(subject)
  finishContract(subject)
  requeueContract(subject)
  cancelContract(subject)
  pruneContract(subject)
  dependencyContract(subject)
}

for (const database of databases) pruneRestContract(database)

for (const subject of databases) pausesContract(subject)
