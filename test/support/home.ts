/** A Backbeat home of a test's own, gone when its scope closes. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { pathsOf } from "../../src/layers/node/files/Paths.ts"
import { Paths } from "../../src/services/Paths.ts"

/** A directory that is removed with the scope. */
export const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "backbeat-test-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }))
)

/** `Paths` on a fresh temporary directory. */
export const layer = Layer.scoped(
  Paths,
  Effect.map(temporaryDirectory, (home) => pathsOf({ BACKBEAT_HOME: home }, { home: () => home, current: () => home }))
)
