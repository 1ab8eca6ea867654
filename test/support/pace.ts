/** How slow this machine is at the moment, for the few promises that are about time. */
import { spawnSync } from "node:child_process"

/** Starting Node and leaving takes about this long on a quiet machine, in milliseconds. */
const quietMs = 40

/** A bound that holds on a quiet machine, with as much more time as the load of this moment asks for. */
export const patient = (boundMs: number): number => {
  const began = performance.now()
  spawnSync(process.execPath, ["-e", "0"])
  return boundMs * Math.max(1, (performance.now() - began) / quietMs)
}
