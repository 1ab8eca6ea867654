/** The contract of the spawner, over real processes and over the fake. */
import { spawnerSubjects } from "../support/spawners.ts"
import { startContract } from "./spawnerStart.ts"
import { stopContract } from "./spawnerStop.ts"

for (const subject of spawnerSubjects) {
  startContract(subject)
  stopContract(subject)
}
