/**
 * Who may ask anything at all: only this machine by its own name, only pages of this server, only a holder of the token.
 * A page of another origin that reaches the port, also by a name that it points at 127.0.0.1, is refused before any routing.
 */
import * as Redacted from "effect/Redacted"

/** What a request says about itself. */
export interface Asked {
  readonly method: string
  /** Whether it is a file of the page, asked for by its exact path. */
  readonly isAsset: boolean
  readonly host: string | undefined
  readonly origin: string | undefined
  /** `Sec-Fetch-Site`, which no page can forge. */
  readonly site: string | undefined
  readonly authorization: string | undefined
}

export interface Allowed {
  readonly port: number
  readonly token: Redacted.Redacted
  readonly readOnly: boolean
}

/** Why a request is refused. The messages say what to do, and none repeats what the request said. */
type Refusal = {
  readonly _tag: "ForeignHost" | "ForeignOrigin" | "Unauthorized" | "ReadOnly"
  readonly message: string
}

const refusals = {
  ForeignHost: "This server answers to 127.0.0.1, localhost and [::1] alone.",
  ForeignOrigin: "This server answers its own page alone.",
  Unauthorized:
    "The token is missing or wrong. 'beat web url' prints the address with the token of the running server.",
  ReadOnly: "This server only shows: it was started with --read-only."
} as const

const refuse = (_tag: keyof typeof refusals): Refusal => ({ _tag, message: refusals[_tag] })

/** Methods that change nothing. */
const isSafe = (method: string): boolean => method === "GET" || method === "HEAD"

/** Every character is compared, so that the time does not reveal where the first difference is. */
export const sameText = (left: string, right: string): boolean => {
  let difference = left.length ^ right.length
  for (let at = 0; at < right.length; at += 1) difference |= (left.charCodeAt(at) || 0) ^ right.charCodeAt(at)
  return difference === 0
}

/** Null if the request is allowed. Only what is named here needs no token: a router takes more than one spelling of a path. */
export const refusalOf = (asked: Asked, allowed: Allowed): Refusal | null => {
  const hosts = ["127.0.0.1", "localhost", "[::1]"].map((name) => `${name}:${allowed.port}`)
  const host = asked.host?.toLowerCase()
  if (host === undefined || !hosts.includes(host)) return refuse("ForeignHost")
  if (asked.origin !== undefined && asked.origin !== `http://${host}`) return refuse("ForeignOrigin")
  if (!isSafe(asked.method) && asked.site !== undefined && asked.site !== "same-origin") return refuse("ForeignOrigin")
  // These hold no secret, and a browser asks for them before it has read the token.
  if (asked.isAsset && isSafe(asked.method)) return null
  const given = /^Bearer ([A-Za-z0-9_-]+)$/i.exec(asked.authorization ?? "")?.[1] ?? ""
  if (!sameText(given, Redacted.value(allowed.token))) return refuse("Unauthorized")
  return allowed.readOnly && !isSafe(asked.method) ? refuse("ReadOnly") : null
}
