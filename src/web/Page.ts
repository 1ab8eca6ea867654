/** The files of the page by their path. The build puts them in the place of this module; the source alone has none. */
import type { Asset } from "./server/Assets.ts"

export const assets: Readonly<Record<string, Asset>> = {}
