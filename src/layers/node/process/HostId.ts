/** A short name for a host, which does not give away the id that it is made from. */
import { createHash } from "node:crypto"

/** The same for the same id, and different for different ones. machine-id(5) asks not to publish the id itself. */
export const hostOf = (machine: string): string =>
  createHash("sha256").update(`backbeat ${machine}`).digest("hex").slice(0, 12)
