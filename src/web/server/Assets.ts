/** The files of the page, as the build made them. */
import * as Context from "effect/Context"

export interface Asset {
  readonly type: string
  readonly body: string
}

export class Assets extends Context.Tag("backbeat/WebAssets")<Assets, Readonly<Record<string, Asset>>>() {}
