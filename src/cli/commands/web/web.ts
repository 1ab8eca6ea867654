/** `beat web`: options and help for every bundle. The web server's own bundle implements the commands. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type CommandServices, command, type Failure } from "../../framework/Command.ts"
import type { ExitCode } from "../../framework/ExitCode.ts"
import { count, duration, json } from "../../input/Values.ts"

export interface WebOptions {
  /** Null: 4180, or any free one where that is taken. */
  readonly port: number | null
  readonly open: boolean
  readonly readOnly: boolean
  readonly allowRun: boolean
  readonly detach: boolean
  /** Milliseconds; null: what `detach` says. */
  readonly idle: number | null
  readonly json: boolean
}

/** What `--json` prints. The URL holds the token. */
export const WebView = Schema.Struct({
  url: Schema.String,
  port: Schema.Int,
  pid: Schema.Int,
  readOnly: Schema.Boolean,
  allowRun: Schema.Boolean,
  version: Schema.String,
  startedAt: Schema.Int
}).annotations({ identifier: "WebView" })

type Run = Effect.Effect<ExitCode, Failure, CommandServices>

interface WebCommands {
  readonly start: (options: WebOptions) => Run
  readonly stop: (options: { readonly json: boolean }) => Run
  readonly status: (options: { readonly json: boolean }) => Run
  readonly url: Run
  readonly openapi: Run
}

const standardPort = 4180

const start = ({ start: run }: WebCommands) =>
  command({
    name: "web start",
    forPersons: "serve a page",
    section: "watch",
    summary: "Show tasks in the browser",
    details:
      "Serves a page and an HTTP API on this machine only (127.0.0.1 and ::1) and prints the address. A person who has the address can do what you can: it holds a token, a new one for each start. If a page is served already, prints its address. Ending the server ends no task.\n\nFrom another machine: ssh -L 4180:127.0.0.1:4180 HOST",
    examples: [
      ["beat web --open", "serve the page and open it in the browser"],
      ["beat web --detach --read-only", "in the background, to look only"]
    ],
    options: Options.all({
      port: count("port", 0, 65_535).pipe(
        Options.withDefault(null),
        Options.withDescription(
          `Listen on this port; 0 takes any free port (default: ${standardPort}, or another free port)`
        )
      ),
      open: Options.boolean("open").pipe(Options.withDescription("Open the page in the browser")),
      readOnly: Options.boolean("read-only").pipe(
        Options.withDescription("Refuse every request that changes something")
      ),
      allowRun: Options.boolean("allow-run").pipe(
        Options.withDescription("Accept shell commands from the page and the API, not only agents")
      ),
      detach: Options.boolean("detach").pipe(Options.withDescription("Serve in the background")),
      idle: duration("idle").pipe(
        Options.withDefault(null),
        Options.withDescription("End after this long without a client, e.g. 2h (default: never; with --detach: 30m)")
      ),
      json
    }),
    args: Args.none,
    completes: "none",
    run
  })

const stop = ({ stop: run }: WebCommands) =>
  command({
    name: "web stop",
    forPersons: "end the page",
    section: "watch",
    summary: "End the running web server; tasks continue",
    options: Options.all({ json }),
    args: Args.none,
    completes: "none",
    run
  })

const status = ({ status: run }: WebCommands) =>
  command({
    name: "web status",
    forPersons: "read the address of the page",
    section: "watch",
    summary: "Show whether a page is served, and where",
    options: Options.all({ json }),
    args: Args.none,
    completes: "none",
    answer: () => "output",
    run
  })

const url = ({ url: run }: WebCommands) =>
  command({
    name: "web url",
    forPersons: "read the address of the page",
    section: "watch",
    summary: "Print the address of the running page, with its token",
    examples: [
      ["curl -H \"Authorization: Bearer $(beat web url | sed 's/.*#t=//')\" 127.0.0.1:4180/api/v1/tasks", "the API"]
    ],
    options: Options.none,
    args: Args.none,
    completes: "none",
    answer: () => "output",
    run: () => run
  })

const openapi = ({ openapi: run }: WebCommands) =>
  command({
    name: "api openapi",
    section: "machine",
    summary: "Print the OpenAPI 3.1 document of the API that beat web serves",
    examples: [["beat api openapi > openapi.json", "for a client generator"]],
    options: Options.none,
    args: Args.none,
    completes: "none",
    answer: () => "output",
    run: () => run
  })

export const webCommands = (run: WebCommands) => ({
  start: start(run),
  stop: stop(run),
  status: status(run),
  url: url(run),
  openapi: openapi(run)
})
