/** `beat events` on the built program: followed from outside, and complete whichever process is killed. */
import { afterAll, assert, describe, it } from "vitest"
import { Beat, isAlive, kill, until } from "./Beat.ts"

interface Line {
  readonly seq: number
  readonly kind: string
  readonly taskId: string | null
  readonly data: Readonly<Record<string, unknown>>
}

const linesOf = (text: string): ReadonlyArray<Line> =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))

const numbered = (lines: ReadonlyArray<Line>) => lines.every(({ seq }, at) => seq === (lines[0]?.seq ?? 0) + at)

describe("beat events", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it("follows what other processes do, and continues at a number", async () => {
    const none = await beat.run(["events"])
    assert.deepStrictEqual([none.code, none.stdout], [0, ""])
    const first = await beat.submit("true")
    await beat.run(["wait", first])
    const reader = beat.start(["events", "--since", "0", "-f", "--json"])
    await until("what was before is read", () => linesOf(reader.stdout()).length === 3)
    const second = await beat.submit("exit 3")
    await until("what comes is read", () =>
      linesOf(reader.stdout()).some((one) => one.taskId === second && one.kind === "ended")
    )
    reader.child.kill("SIGINT")
    assert.strictEqual((await reader.done).code, 130)
    const lines = linesOf(reader.stdout())
    assert.isTrue(numbered(lines), reader.stdout())
    assert.deepStrictEqual(
      lines.map(({ kind, taskId }) => [kind, taskId]),
      [first, second].flatMap((id) => ["queued", "started", "ended"].map((kind) => [kind, id]))
    )
    const rest = linesOf((await beat.run(["events", "--since", "3", "--json"])).stdout)
    assert.deepStrictEqual(rest, lines.slice(3))
    const failures = linesOf((await beat.run(["events", "--only", "failed", "--json"])).stdout)
    assert.deepStrictEqual(failures, lines.slice(5))
    const [ofOne] = linesOf((await beat.run(["events", "--task", first, "--json"])).stdout)
    assert.strictEqual(ofOne?.taskId, first)
    const shown = await beat.run(["events"])
    assert.match(shown.stdout, new RegExp(`ended +${second} +failed \\(exit 3\\) +shell +exit 3`))
    assert.strictEqual((await beat.run(["events", "--only", "nonsense"])).code, 2)
    const [reset] = linesOf((await beat.run(["events", "--since", "999", "--json"])).stdout)
    assert.strictEqual(reset?.kind, "reset")
  })

  it("has each end once and no gap, whether the worker is killed before or after the commit", async () => {
    const [before = 0] = beat.rows<{ n: number }>("SELECT max(seq) AS n FROM notices").map(({ n }) => n)
    const ids: Array<string> = []
    for (const place of ["finish.commit", "finish.committed", "claim.commit", "started.commit"]) {
      await until("no worker is there", () => !beat.workers().some(isAlive))
      const worker = beat.start(["worker", "--keep"], { env: { BACKBEAT_FAILPOINTS: `${place}:kill` } })
      await until("the worker serves", () => beat.workers().some(isAlive))
      const id = await beat.submit("true")
      ids.push(id)
      assert.strictEqual((await worker.done).signal, "SIGKILL", place)
      assert.strictEqual((await beat.run(["wait", id])).code, 0, place)
      for (const pid of beat.workers()) kill(pid, "SIGTERM")
    }
    const lines = linesOf((await beat.run(["events", "--since", String(before), "--json"])).stdout)
    assert.isTrue(numbered(lines))
    for (const id of ids) {
      const ofTask = lines.filter(({ taskId }) => taskId === id).map(({ kind }) => kind)
      assert.deepStrictEqual(
        ofTask.filter((kind) => kind !== "requeued"),
        ["queued", "started", "ended"],
        id
      )
    }
  })
})
