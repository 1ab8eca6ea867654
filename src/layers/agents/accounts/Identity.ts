/** What the adapters share to find the account that an agent uses: hosts, keys, logins. */
import type { AccountIdentity } from "../../../domain/limits/Account.ts"
import type { AccountRequest } from "../../../domain/task/Agent.ts"
import type { Environment } from "../../../domain/task/NewTask.ts"

/** The first of these variables that is set. */
export const variable = (environment: Environment, ...names: ReadonlyArray<string>): string | null =>
  names.map((name) => environment[name]).find((value) => value !== undefined && value !== "") ?? null

/** Whether a switch such as CLAUDE_CODE_USE_BEDROCK is on. */
export const switched = (environment: Environment, name: string): boolean =>
  !["", "0", "false", "no", "off"].includes((environment[name] ?? "").toLowerCase())

/** A server that is not the vendor's own: whose limits it has depends on the server and on the key. */
export const otherHost = (url: string | null, own: RegExp, secret: string | null): AccountIdentity | null => {
  if (url === null || !URL.canParse(url)) return null
  const { host } = new URL(url)
  return own.test(host) ? null : { vendor: "host", kind: host, identity: `${url}\0${secret ?? ""}` }
}

/** The value of a string at this name, wherever it is in a JSON text. Files of logins can be megabytes: none is parsed. */
export const textAt = (json: string | null, name: string): string | null =>
  json === null ? null : (new RegExp(`"${name}"\\s*:\\s*"([^"\\\\]+)"`).exec(json)?.[1] ?? null)

/** An account that only the place of its login identifies. */
export const byPlace = (vendor: string, { environment }: AccountRequest, moved: string): AccountIdentity => ({
  vendor,
  kind: "login",
  identity: `place\0${variable(environment, moved, "HOME") ?? ""}`
})
