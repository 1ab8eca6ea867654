/**
 * The headers of Standard Webhooks (standardwebhooks.com, version 1). Weighed: the package `standardwebhooks`, 70 KB with its
 * own hashes; the tests verify against an implementation that shares no code with this one.
 */
import { createHmac } from "node:crypto"
import type { Parcel } from "../../../services/HookSender.ts"

/** `seconds`: the time of this attempt, since 1970. Receivers refuse messages that are minutes old. */
export const signatureHeaders = (
  { body, id }: Parcel,
  secret: string | null,
  seconds: number
): Record<string, string> => {
  const named = { "webhook-id": id, "webhook-timestamp": String(seconds) }
  if (secret === null) return named
  const key = Buffer.from(secret.slice("whsec_".length), "base64")
  const mac = createHmac("sha256", key).update(`${id}.${seconds}.${body}`, "utf8").digest("base64")
  return { ...named, "webhook-signature": `v1,${mac}` }
}
