/** A hook: a command or an address that gets messages about notices, as the settings describe it. */
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { endWords, noticeWords } from "../events/Notice.ts"
import { named } from "../Named.ts"

const HookName = Schema.String.pipe(
  Schema.pattern(/^[a-z][a-z0-9-]{0,31}$/, {
    message: () => "expected 1 to 32 lower-case letters, digits and '-', beginning with a letter, for example phone"
  })
)

/** The word for what a person should look at: failures, limits, conflicts, and times that a schedule missed. */
export const needsYouWord = "needs-you"

export const hookWords: ReadonlyArray<string> = [needsYouWord, ...noticeWords]

const Word = Schema.String.pipe(
  Schema.filter((word) => hookWords.includes(word), {
    message: () => `expected one of ${hookWords.join(", ")}, for example failed`,
    arbitrary: () => (fc) => fc.constantFrom(...hookWords)
  })
)

const Texts = Schema.NonEmptyArray(Schema.NonEmptyString)

const address = (example: string) =>
  Schema.String.pipe(
    Schema.pattern(/^https?:\/\/[^\s/?#]+\S*$/, {
      message: () => `expected an address with http:// or https://, for example ${example}`
    })
  )

export const quietPattern = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/

/** Without those that a request needs for itself. */
const headerName =
  /^(?!(content-length|content-type|connection|host|transfer-encoding)$)[!#$%&'*+.^_`|~0-9a-z-]{1,64}$/i

/** No value can end its line. */
const headerValue = /^[\t\x20-\x7e]{1,8192}$/

const Headers = named(Schema.String, Schema.Redacted(Schema.String)).pipe(
  Schema.filter(
    (headers) =>
      Object.entries(headers).every(
        ([name, value]) => headerName.test(name) && headerValue.test(Redacted.value(value))
      ),
    {
      message: () => "expected names of HTTP headers with texts of one line",
      arbitrary: () => (fc) => fc.constantFrom({}, { authorization: Redacted.make("Bearer abc") })
    }
  )
)

const secretPattern = /^whsec_[A-Za-z0-9+/]{22,100}={0,2}$/

/** One message for every invalid value. */
const milliseconds = (low: number, high: number, example: number) => {
  const message = () => `expected a whole number of milliseconds from ${low} to ${high}, for example ${example}`
  return Schema.Number.annotations({ message }).pipe(Schema.int({ message }), Schema.between(low, high, { message }))
}

const hour = 60 * 60 * 1000

/** All of these conditions must hold for the task of a notice. */
export const HookFilter = Schema.Struct({
  agent: Schema.optional(Texts),
  labels: Schema.optional(named(Schema.NonEmptyString, Schema.String)),
  /** The task works in one of these directories, or below it. */
  directory: Schema.optional(Texts),
  /** What ended, ended with one of these. */
  status: Schema.optional(Texts)
})

/** The settings of one hook. Exactly one of the targets is present. */
export const HookSettings = Schema.Struct({
  /** Words that select notices (default: `needs-you`; with `otlp` all ends of work). */
  on: Schema.optional(Schema.NonEmptyArray(Word)),
  where: Schema.optional(HookFilter),
  /** Program and arguments; the message is on its stdin. */
  run: Schema.optional(Texts),
  url: Schema.optional(address("https://ci.example/beat")),
  /** Signs what is sent to `url`, as Standard Webhooks do. */
  secret: Schema.optional(
    Schema.Redacted(
      Schema.String.pipe(
        Schema.pattern(secretPattern, {
          message: () =>
            "expected whsec_ and 24 to 64 bytes in Base64, for example whsec_ and what 'openssl rand -base64 32' prints"
        })
      )
    )
  ),
  ntfy: Schema.optional(address("https://ntfy.sh/my-topic")),
  /** For an ntfy topic that is not open to all. */
  token: Schema.optional(Schema.Redacted(Schema.NonEmptyString)),
  slack: Schema.optional(address("https://hooks.slack.com/services/...")),
  /** A collector of OpenTelemetry: it gets the spans of work that has ended. */
  otlp: Schema.optional(address("http://127.0.0.1:4318")),
  /** Sent with each request to `url` or `otlp`. */
  headers: Schema.optional(Headers),
  desktop: Schema.optional(Schema.Literal(true)),
  /** Hours of the day in which nothing is sent; it is sent at their end. */
  quiet: Schema.optional(
    Schema.String.pipe(
      Schema.pattern(quietPattern, { message: () => "expected hours of the day, for example 22:00-07:00" })
    )
  ),
  /** Everything of so much time goes into one message. */
  sumMs: Schema.optional(milliseconds(1000, 24 * hour, 60_000)),
  /** How long one attempt may take (default: 30 s). */
  timeoutMs: Schema.optional(milliseconds(100, hour, 30_000)),
  /** The pause before the second attempt; it doubles with each (default: 5 s). */
  retryMs: Schema.optional(milliseconds(10, hour, 5000)),
  /** False: it gets nothing. */
  enabled: Schema.optional(Schema.Boolean)
})
export type HookSettings = typeof HookSettings.Type

export const targets = ["run", "url", "ntfy", "slack", "desktop", "otlp"] as const
export type TargetKind = (typeof targets)[number]

/** What ends work: all spans there are. */
const allSpans = ["ended", "retried", "pipeline-ended", "loop-ended", "contest-ended", "merge-ended"]

/** A hook that exports spans gets nothing for other notices. */
const traceWords: ReadonlyArray<string> = [...allSpans, ...endWords, needsYouWord]

const targetsOf = (hook: HookSettings): ReadonlyArray<TargetKind> => targets.filter((kind) => hook[kind] !== undefined)

const problemOf = (hook: HookSettings): string | undefined => {
  const found = targetsOf(hook)
  if (found.length !== 1) {
    return `expected exactly one of ${targets.join(", ")}${found.length === 0 ? "" : `, not ${found.join(" and ")}`}`
  }
  if (hook.secret !== undefined && hook.url === undefined) return "expected 'secret' next to 'url' only"
  if (hook.headers !== undefined && hook.url === undefined && hook.otlp === undefined) {
    return "expected 'headers' next to 'url' or 'otlp' only"
  }
  const spanless = hook.otlp === undefined ? undefined : hook.on?.find((word) => !traceWords.includes(word))
  if (spanless !== undefined) {
    return `expected ${traceWords.join(", ")} in 'on' next to 'otlp', not ${spanless}`
  }
  return hook.token !== undefined && hook.ntfy === undefined ? "expected 'token' next to 'ntfy' only" : undefined
}

/** The setting `hooks`. */
export const HooksSettings = Schema.Record({
  key: HookName,
  value: HookSettings.pipe(
    Schema.filter((hook) => problemOf(hook), { arbitrary: () => (fc) => fc.constant({ run: ["true"] }) })
  )
})
export type HooksSettings = typeof HooksSettings.Type

/** A hook with its name and its defaults. */
export interface Hook extends Omit<HookSettings, "on"> {
  readonly name: string
  readonly on: ReadonlyArray<string>
  readonly kind: TargetKind
  readonly timeoutMs: number
  readonly retryMs: number
  readonly enabled: boolean
}

export const hookOf = (name: string, settings: HookSettings): Hook => ({
  ...settings,
  name,
  on: settings.on ?? (settings.otlp === undefined ? [needsYouWord] : allSpans),
  kind: targetsOf(settings)[0] ?? "run",
  timeoutMs: settings.timeoutMs ?? 30_000,
  retryMs: settings.retryMs ?? 5000,
  enabled: settings.enabled ?? true
})

export const hooksOf = (settings: HooksSettings): ReadonlyArray<Hook> =>
  Object.entries(settings).map(([name, hook]) => hookOf(name, hook))
