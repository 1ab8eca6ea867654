/** What can go wrong with the page that `beat web` serves. */
import * as Schema from "effect/Schema"

export class PortTaken extends Schema.TaggedError<PortTaken>()("PortTaken", { port: Schema.Int }) {
  override get message(): string {
    return `Port ${this.port} is in use by another program. Give another one with --port, or --port 0 for any that is free.`
  }
}

/** The page could not be served, found or ended. */
export class WebUnavailable extends Schema.TaggedError<WebUnavailable>()("WebUnavailable", {
  problem: Schema.String
}) {
  override get message(): string {
    return this.problem
  }
}

/** No `beat web` runs in this home. */
export class WebNotRunning extends Schema.TaggedError<WebNotRunning>()("WebNotRunning", {}) {
  override get message(): string {
    return "No page is being served. Start one: beat web"
  }
}
