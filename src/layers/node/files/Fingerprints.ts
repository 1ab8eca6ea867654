/** Fingerprints with a random key in the file `account.salt` of the home, which only its user can read. */
import { createHmac, randomBytes } from "node:crypto"
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Fingerprints } from "../../../services/Fingerprints.ts"
import { Paths } from "../../../services/Paths.ts"
import { foreignOwner } from "./Ownership.ts"
import { makePrivateDirectory } from "./PrivateDirectory.ts"
import { codeOf } from "./SystemCode.ts"

const saltBytes = 32
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

const existing = (path: string): Buffer | null => {
  try {
    const salt = readFileSync(path)
    return salt.length === saltBytes ? salt : null
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null
    throw error
  }
}

/** If several processes make it at the same time, all use the first one: a link never replaces a file. */
const saltOf = ({ database, home }: Paths["Type"]): Buffer => {
  const path = join(home, "account.salt")
  const known = existing(path)
  if (known !== null) return known
  const foreign = foreignOwner(database)
  if (foreign !== null) throw new Error(`${home}: ${foreign}`)
  makePrivateDirectory(home)
  const temporary = `${path}.${randomBytes(6).toString("hex")}`
  try {
    writeFileSync(temporary, randomBytes(saltBytes), { mode: 0o600, flag: "wx" })
    linkSync(temporary, path)
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error
  } finally {
    rmSync(temporary, { force: true })
  }
  const made = existing(path)
  if (made === null) throw new Error("account.salt is not 32 bytes long")
  return made
}

export const layer = Layer.effect(
  Fingerprints,
  Effect.map(Paths, (paths) =>
    Fingerprints.of({
      of: (text) =>
        Effect.try(() => createHmac("sha256", saltOf(paths)).update(text, "utf8").digest()).pipe(
          Effect.map((digest) => Array.from(digest.subarray(0, 10), (byte) => alphabet.charAt(byte & 31)).join("")),
          Effect.option
        )
    })
  )
)
