/** What the doctor says of files that keep the user of a home out of it. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { DoctorReport } from "../../../src/programs/setup/Doctor.ts"
import { Installation } from "../../../src/services/Installation.ts"
import { Paths } from "../../../src/services/Paths.ts"
import { beat, world } from "../../cli/world.ts"

const report = Schema.decodeUnknownSync(Schema.parseJson(DoctorReport))

it.effect("names what another user has made in the home", () =>
  Effect.gen(function* () {
    const { logs, spool } = yield* Paths
    const foreign = [spool, `${logs}/mcp.log`]
    const installation = yield* Installation
    const { stdout } = yield* beat(["doctor", "--json"]).pipe(
      Effect.provideService(
        Installation,
        Installation.of({
          ...installation,
          entries: (directory) => Effect.succeed(directory === logs ? ["mcp.log", "worker.log"] : []),
          otherOwner: (path) => Effect.succeed(foreign.includes(path) ? "root (uid 0)" : null)
        })
      )
    )
    const owner = report(stdout).checks.find(({ name }) => name === "owner")
    assert.strictEqual(owner?.status, "fail")
    assert.strictEqual(owner?.detail, `${foreign.join(", ")}: owned by root (uid 0)`)
    assert.match(owner?.advice ?? "", /run as root: chown \S+ .*mcp\.log/)
  }).pipe(Effect.provide(world()))
)
