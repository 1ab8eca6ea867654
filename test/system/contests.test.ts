/** Contests with the built program: the candidate that the commands name is kept, whatever is killed on the way. */
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { gitIn, makeBusyRepository, makeRepository, userState } from "../support/repository.ts"
import { Beat, binary, until } from "./Beat.ts"

interface ContestDocument {
  readonly id: string
  readonly status: string
  readonly winner: number | null
  readonly candidates: ReadonlyArray<{
    readonly workTask: string
    readonly agent: string
    readonly verdict: string | null
    readonly score: number | null
    readonly tampered: string | null
    readonly failedTask: string | null
  }>
}

describe("beat run --times", () => {
  let beat: Beat
  let home: string

  beforeEach(() => {
    beat = new Beat()
    home = join(beat.home, "shop")
  })

  afterEach(() => beat.close())

  const run = (args: ReadonlyArray<string>) => beat.run(args, { cwd: home })
  const start = async (prompt: string, ...args: ReadonlyArray<string>) => {
    const { code, stderr, stdout } = await run(["run", "-a", "shell", ...args, "--", prompt])
    assert.strictEqual(code, 0, stderr)
    return stdout.trim()
  }
  const shown = async (id: string): Promise<ContestDocument> => JSON.parse((await run(["status", id, "--json"])).stdout)
  const decided = async (id: string) => {
    const { code } = await run(["wait", id, "--timeout", "280s"])
    return { code, ...(await shown(id)) }
  }
  /** The slots of the workspaces are 1, 2 and 3: each candidate does something else. */
  const inSlot = (...scripts: ReadonlyArray<string>) =>
    `case $BACKBEAT_SLOT in ${scripts.map((script, index) => `${index + 1}) ${script};;`).join(" ")} esac`

  it("keeps the best one that passes, which diff and merge then mean, and changes nothing before", async () => {
    makeBusyRepository(home)
    const before = userState(home)
    const work = inSlot("echo 5 > n", "echo 3 > n", "echo 1 > n; touch broken")
    const id = await start(work, "--times", "3", "--best", "! test -e broken", "--score", "cat n", "--better", "lower")
    const contest = await decided(id)
    assert.deepInclude(contest, { code: 0, status: "passed", winner: 2 })
    assert.deepStrictEqual(
      contest.candidates.map(({ score, verdict }) => [verdict, score]),
      [
        ["pass", 5],
        ["pass", 3],
        ["fail", null]
      ]
    )
    assert.deepStrictEqual(userState(home), before)
    const ended = (await run(["events", "--only", "contest-ended", "--json"])).stdout
    assert.deepInclude(JSON.parse(ended), { subject: id, data: { status: "passed", winner: 2 } })
    const status = (await run(["status", id])).stdout
    assert.match(status, /PASS +SCORE +COST +TIME +DIFF/)
    assert.match(status, /#2 .*yes +3 .*\+1 -0 +<- kept/)
    assert.match(status, new RegExp(`#3 .*no .*beat logs ${contest.candidates[2]?.failedTask}`))
    assert.match((await run(["status", contest.candidates[0]?.workTask ?? ""])).stdout, new RegExp(`contest +${id}`))
    assert.strictEqual((await run(["diff", id, "--name-only"])).stdout.trim(), "n")
    assert.strictEqual((await run(["merge", id])).code, 0)
    assert.strictEqual(gitIn(home, "show", "HEAD:n"), "3")
  })

  it("judges what was sealed, not what another task of the candidate has written there since", async () => {
    makeRepository(home, { "test.sh": "test -e fixed\n" })
    const later = `${process.execPath} ${binary} run -a shell -p P0 --in $BACKBEAT_TASK_ID -- 'touch fixed'`
    const work = inSlot(`${later}; touch notes`, "touch fixed")
    const contest = await decided(await start(work, "--times", "2", "--best", "sh test.sh"))
    assert.deepInclude(contest, { code: 0, status: "passed", winner: 2 })
    assert.deepStrictEqual(
      contest.candidates.map(({ verdict }) => verdict),
      ["fail", "pass"]
    )
  })

  it("keeps none that changes the file which judges it, and exits with 1 when none passes", async () => {
    makeRepository(home, { "a.txt": "0\n", "check.sh": "test $(cat a.txt) -ge 2\n" })
    const id = await start(inSlot("echo true > check.sh", "true"), "--times", "2", "--best", "sh ./check.sh")
    const contest = await decided(id)
    assert.deepInclude(contest, { code: 1, status: "failed", winner: null })
    assert.deepInclude(contest.candidates[0] ?? {}, { verdict: "tampered", tampered: "check.sh" })
    const { code, stderr } = await run(["merge", id])
    assert.strictEqual(code, 1)
    assert.match(stderr, /has kept no candidate/)
  })

  it("gives the agents of a list their turns, and runs the setup in each workspace", async () => {
    makeRepository(home)
    const agents = { mine: { command: ["sh", "-c", "cp setup n", "{prompt}"] } }
    await run(["init"])
    await run(["config", "set", "agents.mine.command", JSON.stringify(agents.mine.command)])
    const args = ["--times", "3", "-a", "mine,shell", "--setup", "echo 1 > setup", "--best", "test -e n", "--json"]
    const { code, stderr, stdout } = await run(["run", ...args, "--", "cp setup n"])
    assert.strictEqual(code, 0, stderr)
    const { candidates, id }: ContestDocument = JSON.parse(stdout)
    assert.deepStrictEqual(
      candidates.map(({ agent }) => agent),
      ["mine", "shell", "mine"]
    )
    assert.deepInclude(await decided(id), { code: 0, status: "passed" })
  })

  it("is cancelled as a whole", async () => {
    makeRepository(home)
    const id = await start("sleep 60", "--times", "3", "--best", "true")
    await until("one runs", () => beat.rows("SELECT id FROM tasks WHERE status = 'running'").length > 0)
    assert.match((await run(["cancel", id, "--reason", "enough"])).stdout, /cancelled/)
    assert.deepInclude(await decided(id), { code: 4, status: "cancelled", winner: null })
    assert.lengthOf(beat.rows("SELECT id FROM tasks WHERE status <> 'cancelled'"), 0)
    assert.match((await run(["cancel", id])).stdout, /had already ended: cancelled/)
  })

  it("refuses what says nothing", async () => {
    makeRepository(home)
    const refused = async (...args: ReadonlyArray<string>) => {
      const { code, stderr } = await run(["run", "-a", "shell", ...args, "--", "echo x"])
      return `${code} ${stderr}`
    }
    assert.match(await refused("--times", "3"), /^2 .*--times needs --best, --score or both/)
    assert.match(await refused("--times", "1", "--best", "true"), /^2 .*from 2 to 16/)
    assert.match(await refused("--best", "true"), /^2 .*--best needs --times/)
    assert.match(await refused("--times", "2", "--score", "echo 1"), /^2 .*--better/)
    assert.match(await refused("--times", "2", "--best", "true", "-f"), /^2 .*--foreground/)
    assert.match(await refused("--times", "2", "--best", "true", "--key", "k"), /^2 .*--key/)
    const many = ["run", "--times", "2", "--best", "true", "-a", "claude,codex,shell", "--", "x"]
    assert.match((await run(many)).stderr, /names 3 agents/)
    assert.strictEqual((await run(["status", "zzzz"])).code, 3)
    assert.strictEqual((await run(["cancel", "zzzz"])).code, 3)
    assert.lengthOf(beat.rows("SELECT id FROM contests"), 0)
  })

  for (const step of ["seal.taken", "seal.stored", "contest.recorded", "release.discarded"]) {
    it(`keeps the same candidate after a kill at ${step}`, async () => {
      makeRepository(home, { "score.sh": "wc -l < n\n" })
      const doomed = beat.start(["worker", "--keep"], { env: { BACKBEAT_FAILPOINTS: `${step}:kill@2` } })
      await until("it serves", () => beat.workers().length === 1)
      const work = inSlot("echo x >> n", "echo x >> n; echo x >> n", "echo x >> n; echo 'echo 9' > score.sh")
      const id = await start(work, "--times", "3", "--score", "sh ./score.sh", "--better", "higher")
      assert.strictEqual((await doomed.done).signal, "SIGKILL")
      const contest = await decided(id)
      assert.deepInclude(contest, { code: 0, status: "passed", winner: 2 })
      assert.deepStrictEqual(
        contest.candidates.map(({ score, verdict }) => [verdict, score]),
        [
          ["pass", 1],
          ["pass", 2],
          ["tampered", 9]
        ]
      )
      assert.lengthOf(beat.rows("SELECT id FROM tasks"), 6)
    })
  }
})
