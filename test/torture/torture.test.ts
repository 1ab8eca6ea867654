/** The torture run as a user starts it: short, with its own plan, in the product and with one promise broken. */
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Schema from "effect/Schema"
import { afterAll, assert, describe, it } from "vitest"
import { faultKinds } from "../../src/torture/faults/FaultPlan.ts"
import { workerFailpoints } from "../../src/torture/faults/WorkerPlan.ts"
import { makePlan } from "../../src/torture/Plan.ts"
import { TortureReport } from "../../src/torture/Report.ts"
import { root } from "../architecture/Sources.ts"

const read = Schema.decodeUnknownSync(Schema.parseJson(TortureReport))

const scratch = mkdtempSync(join(tmpdir(), "beat-test-torture-"))
afterAll(() => rmSync(scratch, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const node = (args: ReadonlyArray<string>): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { PATH: process.env.PATH ?? "", HOME: scratch, TMPDIR: scratch },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    child.once("close", (code) => resolve({ code, stdout, stderr }))
  })

const beat = (program: string, args: ReadonlyArray<string>): Promise<Ended> => node([program, ...args])

describe("the plan of a torture run", () => {
  it("is the same for the same seed, and another for another", () => {
    assert.deepStrictEqual(makePlan(7, 20_000), makePlan(7, 20_000))
    assert.notStrictEqual(makePlan(7, 20_000).digest, makePlan(8, 20_000).digest)
    assert.notStrictEqual(makePlan(7, 20_000).digest, makePlan(7, 21_000).digest)
  })

  it("comes to every kind of fault and every failpoint within some minutes", () => {
    const { faults, servers, workers } = makePlan(1, 300_000)
    assert.strictEqual(new Set(faults.map(({ kind }) => kind)).size, faultKinds.length)
    assert.isTrue(workers.some(({ limit }) => limit !== null))
    assert.isTrue(servers.some((failpoints) => failpoints === null))
    const named = workers.flatMap(({ failpoints }) => failpoints?.split(",") ?? [])
    assert.sameMembers(Array.from(new Set(named.map((point) => point.split(":")[0]))), Array.from(workerFailpoints))
  })
})

/** The first of these runs that reports the promise. The faults that show it may not come in a short time under load. */
const reporting = async (program: string, invariant: string): Promise<Ended> => {
  let ended: Ended = { code: null, stdout: "", stderr: "" }
  for (const [index, seconds] of [6, 15, 30].entries()) {
    ended = await beat(program, ["doctor", "--torture", `${seconds}s`, "--seed", String(2 + index), "--json"])
    if (read(ended.stdout).violations.some((violation) => violation.invariant === invariant)) return ended
  }
  return ended
}

describe.skipIf(process.platform !== "linux")("beat doctor --torture", () => {
  it("finds nothing, says what it did, and leaves nothing behind", async () => {
    const args = ["doctor", "--torture", "4s", "--seed", "4711", "--json"]
    const { code, stderr, stdout } = await beat(join(root, "dist", "beat.cjs"), args)
    assert.include(stderr, "--seed 4711")
    const report = read(stdout)
    assert.deepStrictEqual(report.violations, [])
    // On a machine under load a run of four seconds may do too little to be a proof, and has to say so.
    assert.strictEqual(report.proven, report.shortfalls.length === 0)
    assert.strictEqual(code, report.proven ? 0 : 1)
    assert.strictEqual(report.plan, makePlan(4711, 4000).digest)
    if (report.proven) {
      assert.isAbove(report.kills, 0)
      assert.isAbove(report.tasks.submitted, 0)
    }
    assert.deepStrictEqual(
      readdirSync(scratch).filter((name) => name.startsWith("beat-torture-")),
      []
    )
  })

  it("reports a promise that is broken, with the events that led to it", { timeout: 600_000 }, async () => {
    // Within the checkout, where it finds the native module.
    const built = await node(["build.mjs", "--mutation", "drop-chunk", "dist-mutant-test"])
    assert.strictEqual(built.code, 0, built.stderr)
    const program = join(root, "dist-mutant-test", "beat.cjs")
    const { code, stderr, stdout } = await reporting(program, "every byte is stored, in order")
    const report = read(stdout)
    assert.include(stderr, `--seed ${report.seed}`)
    assert.strictEqual(code, 1)
    assert.isFalse(report.ok)
    const changed = report.violations.find(({ invariant }) => invariant === "every byte is stored, in order")
    assert.isDefined(changed)
    assert.isAbove(changed?.timeline.length ?? 0, 0)
    assert.isNotNull(report.kept)
  })

  it("wants a length of time that means something", async () => {
    const program = join(root, "dist", "beat.cjs")
    assert.strictEqual((await beat(program, ["doctor", "--torture", "5"])).code, 2)
    assert.strictEqual((await beat(program, ["doctor", "60s"])).code, 2)
    assert.strictEqual((await beat(program, ["doctor", "--seed", "5"])).code, 2)
  })
})
