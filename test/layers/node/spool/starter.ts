/** A process to be killed: starts the claim in `<home>/claim.json`, tells the shim's identity and stays. */
import * as fs from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { Processes } from "../../../../src/services/Processes.ts"
import { Spawner } from "../../../../src/services/Spawner.ts"
import { layerIn } from "../support.ts"

const [, , directory = ""] = process.argv
process.env.BACKBEAT_HOME = directory

const program = Effect.gen(function* () {
  const spawner = yield* Spawner
  const processes = yield* Processes
  const claim = JSON.parse(fs.readFileSync(join(directory, "claim.json"), "utf8"))
  const shim = yield* spawner.start(claim, yield* processes.self)
  fs.writeFileSync(join(directory, "shim.json"), `${JSON.stringify(shim)}\n`)
  return yield* Effect.never
})

Effect.runFork(program.pipe(Effect.provide(layerIn(directory))))
