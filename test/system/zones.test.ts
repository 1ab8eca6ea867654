/** The variable `TZ` of the built commands and of the MCP server, and the dates that they take. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Server } from "../mcp/Server.ts"
import { Beat } from "./Beat.ts"

const create = (...timing: ReadonlyArray<string>) => ["schedule", "create", ...timing, "-a", "shell", "true", "--json"]
const nine = create("--at", "2027-07-01T09:00")

describe("the zone of the process", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it.each([
    ["", "2027-07-01T09:00:00.000Z", "UTC"],
    ["/usr/share/zoneinfo/Europe/Berlin", "2027-07-01T07:00:00.000Z", "Europe/Berlin"],
    ["<+03>-3", "2027-07-01T06:00:00.000Z", "+03:00"],
    ["UTC+3", "2027-07-01T12:00:00.000Z", "-03:00"],
    ["IST-5:30", "2027-07-01T03:30:00.000Z", "+05:30"]
  ])("TZ='%s': nine is %s, in %s, and is shown as nine", async (TZ, at, timezone) => {
    const made = await beat.run(nine, { env: { TZ } })
    assert.strictEqual(made.code, 0, made.stderr)
    const { schedule } = JSON.parse(made.stdout)
    assert.deepInclude(schedule.timing, { at: Date.parse(at), timezone })
    const shown = await beat.run(["schedule", "status", schedule.id], { env: { TZ } })
    assert.include(shown.stdout, "2027-07-01 09:00:00")
    const cancelled = await beat.run(["schedule", "cancel", schedule.id])
    assert.strictEqual(cancelled.code, 0, cancelled.stderr)
  })

  it.each(["CET-1CEST", "Foo/Bar", ":/nowhere"])("TZ='%s' is refused before anything is stored", async (TZ) => {
    const runs = [
      nine,
      create("--cron", "0 9 * * *"),
      ["run", "-a", "shell", "--not-before", "2027-07-01T09:00", "true"]
    ].map((args) => beat.run(args, { env: { TZ } }))
    for (const { code, stderr, stdout } of await Promise.all(runs)) {
      assert.strictEqual(code, 2, stderr)
      assert.include(`${stderr}${stdout}`, `TZ is '${TZ}'`)
    }
    const listed = await beat.run(["list", "--json"], { env: { TZ } })
    assert.deepStrictEqual(JSON.parse(listed.stdout).tasks, [])
  })

  it("gives way to --timezone and to a zone in the time", async () => {
    const env = { TZ: "CET-1CEST" }
    const named = await beat.run([...nine, "--timezone", "Europe/Berlin"], { env })
    assert.strictEqual(named.code, 0, named.stderr)
    assert.strictEqual(JSON.parse(named.stdout).schedule.timing.at, Date.parse("2027-07-01T07:00:00Z"))
    await beat.run(["schedule", "cancel", JSON.parse(named.stdout).schedule.id])
    const listed = await beat.run(["list", "--since", "2027-07-01T09:00+02:00"], { env })
    assert.strictEqual(listed.code, 0, listed.stderr)
  })

  it("reaches the task as it was written", async () => {
    const { code, stdout } = await beat.run(["run", "-f", "-a", "shell", "echo zone $TZ"], { env: { TZ: "<+03>-3" } })
    assert.strictEqual(code, 0)
    assert.include(stdout, "zone <+03>-3")
  })
})

describe("dates over MCP", () => {
  const beat = new Beat()
  const server = new Server(beat, { TZ: "<+03>-3" })
  const lost = new Server(beat, { TZ: "CET-1CEST" })
  afterAll(async () => {
    server.kill()
    lost.kill()
    await beat.close()
  })

  const delegate = (to: Server, notBefore: string) =>
    to.call("DelegateTask", { agent: "shell", prompt: "true", directory: beat.home, notBefore })

  it("are in the zone of the server", async () => {
    const made = await delegate(server, "2027-07-01T09:00")
    assert.isUndefined(made.isError, JSON.stringify(made))
    const listed = await beat.run(["list", "--json"])
    assert.deepStrictEqual(
      JSON.parse(listed.stdout).tasks.map(({ notBefore }: { notBefore: number }) => notBefore),
      [Date.parse("2027-07-01T06:00:00Z")]
    )
  })

  it.each([
    ["soonish", "is not a time"],
    ["5", "is not a time"],
    ["2027-02-30", "is not a time"],
    ["2027-04-31T09:00+02:00", "is not a time"],
    ["2027-01-01T24:00Z", "is not a time"],
    ["01.02.2027", "can mean two days"]
  ])("'%s' is refused: it %s", async (notBefore, reason) => {
    const answer = await delegate(server, notBefore)
    assert.isTrue(answer.isError)
    assert.include(JSON.stringify(answer.content), reason)
  })

  it("say why where the zone of the server cannot be told", async () => {
    const answer = await delegate(lost, "2027-07-01T09:00")
    assert.isTrue(answer.isError)
    assert.include(JSON.stringify(answer.content), "TZ is 'CET-1CEST'")
  })
})
