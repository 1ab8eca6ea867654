/** Loops with the built program: rounds that end as their commands say, whatever is killed on the way. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { gitIn, makeBusyRepository, makeRepository, userState } from "../support/repository.ts"
import { Beat, binary, until } from "./Beat.ts"

interface Round {
  readonly verdict: string | null
  readonly score: number | null
  readonly kept: boolean
  readonly tampered: string | null
  readonly workTask: string
}

interface LoopDocument {
  readonly id: string
  readonly status: string
  readonly round: number
  readonly maxRounds: number
  readonly stepTask: string | null
  readonly bestRound: number | null
  readonly bestScore: number | null
  readonly rounds: ReadonlyArray<Round>
}

describe("beat loop", () => {
  let beat: Beat
  let home: string

  beforeEach(() => {
    beat = new Beat()
    home = join(beat.home, "shop")
  })

  afterEach(() => beat.close())

  const run = (args: ReadonlyArray<string>) => beat.run(args, { cwd: home })
  const start = async (prompt: string, ...args: ReadonlyArray<string>) => {
    const { code, stderr, stdout } = await run(["loop", "-a", "shell", ...args, "--", prompt])
    assert.strictEqual(code, 0, stderr)
    return stdout.trim()
  }
  const shown = async (id: string): Promise<LoopDocument> =>
    JSON.parse((await run(["loop", "status", id, "--json"])).stdout)
  const ended = async (id: string) => {
    const { code } = await run(["wait", id, "--timeout", "90s"])
    return { code, ...(await shown(id)) }
  }
  const left = (task: string, file: string) => gitIn(home, "show", `refs/backbeat/task/${task}:${file}`)

  it("works until the command passes, and changes nothing of the repository", async () => {
    makeBusyRepository(home)
    const before = userState(home)
    const id = await start("echo x >> n", "--until", "test $(wc -l < n) -ge 3")
    const loop = await ended(id)
    assert.deepInclude(loop, { code: 0, status: "passed", round: 3 })
    assert.deepStrictEqual(
      loop.rounds.map(({ kept, verdict }) => [verdict, kept]),
      [
        ["fail", true],
        ["fail", true],
        ["pass", true]
      ]
    )
    assert.strictEqual(left(loop.rounds[2]?.workTask ?? "", "n"), "x\nx\nx")
    assert.deepStrictEqual(userState(home), before)
    assert.match((await run(["wait", id])).stdout, /passed in round 3/)
  })

  it("works until a judge says PASS, and tells the next round why it said FAIL", async () => {
    makeRepository(home)
    const judge = 'test $(wc -l < n) -ge 2 && echo PASS || echo "FAIL: n is too short"; rm n'
    const id = await start("echo x >> n", "--judge", judge)
    const loop = await ended(id)
    assert.deepInclude(loop, { code: 0, status: "passed", round: 2 })
    assert.deepStrictEqual(
      loop.rounds.map(({ verdict }) => verdict),
      ["fail", "pass"]
    )
    // What the judge removes is there in the next round, and in the result.
    assert.strictEqual(left(loop.rounds[1]?.workTask ?? "", "n"), "x\nx")
    const [judged] = beat.rows<{ cause: string; error: string }>(
      "SELECT cause, error FROM tasks WHERE cause = 'rejected'"
    )
    assert.deepStrictEqual(judged, { cause: "rejected", error: "n is too short" })
  })

  it("judges what was sealed, not what another task of the agent has written there since", async () => {
    makeRepository(home, { "test.sh": "exit 1\n" })
    const later = `${process.execPath} ${binary} run -a shell -p P0 --in $BACKBEAT_TASK_ID -- 'echo exit 0 > test.sh'`
    const id = await start(`${later}; echo x > notes`, "--until", "sh test.sh", "--protect", "test.sh", "--max", "1")
    const loop = await ended(id)
    assert.deepInclude(loop, { code: 1, status: "exhausted" })
    assert.strictEqual(loop.rounds[0]?.verdict, "fail")
    const [other] = beat.rows<{ status: string; id: string }>(
      "SELECT id, status FROM tasks WHERE title = 'echo exit 0 > test.sh'"
    )
    assert.strictEqual(other?.status, "completed")
    assert.strictEqual(left(other?.id ?? "", "test.sh"), "exit 0")
  })

  it("finds a change that the agent has hidden from git", async () => {
    makeRepository(home, { "test.sh": "exit 1\n" })
    const cheat = "git update-index --assume-unchanged test.sh; echo exit 0 > test.sh; echo x > notes"
    const id = await start(cheat, "--until", "sh test.sh", "--protect", "test.sh", "--max", "1")
    const loop = await ended(id)
    assert.deepInclude(loop, { code: 1, status: "exhausted" })
    assert.deepInclude(loop.rounds[0], { verdict: "tampered", tampered: "test.sh" })
  })

  it("does not pass with what an earlier step left where the last one has broken its repository", async () => {
    makeRepository(home, { "test.sh": "exit 1\n" })
    const file = join(beat.home, "loop.yaml")
    writeFileSync(
      file,
      `agent: shell
until: sh test.sh
protect: [test.sh]
max: 1
steps:
  - { name: one, prompt: echo x > notes }
  - { name: two, prompt: echo exit 0 > test.sh; rm -rf .git }
`
    )
    const { code, stderr, stdout } = await run(["loop", file])
    assert.strictEqual(code, 0, stderr)
    const loop = await ended(stdout.trim())
    assert.deepInclude(loop, { code: 1, status: "exhausted" })
    assert.deepInclude(loop.rounds[0], { verdict: "error", kept: false })
  })

  it("works by a file in steps that find what those before them left", async () => {
    makeRepository(home)
    writeFileSync(
      join(beat.home, "loop.yaml"),
      `vars: { wanted: 2 }
agent: shell
until: test $(wc -l < n) -ge \${wanted}
max: 9
steps:
  - { name: plan, prompt: echo the plan > plan; echo add a line }
  - { name: work, prompt: 'cat plan >> n', continueFrom: true }
`
    )
    const file = join(beat.home, "loop.yaml")
    assert.match((await run(["loop", "check", file])).stdout, /loop\.yaml: fine, at most 9 rounds of 2 steps/)
    const { code, stderr, stdout } = await run(["loop", file, "--max", "4", "--var", "wanted=2"])
    assert.strictEqual(code, 0, stderr)
    const loop = await ended(stdout.trim())
    assert.deepInclude(loop, { code: 0, status: "passed", round: 2, maxRounds: 4 })
    assert.strictEqual(left(loop.rounds[1]?.workTask ?? "", "n"), "the plan\nthe plan")
    assert.match((await run(["loop", "status", stdout.trim()])).stdout, /^steps +plan \(shell\), work \(shell\)$/m)
    assert.strictEqual((await run(["merge", stdout.trim()])).code, 0)
    assert.strictEqual(gitIn(home, "show", "HEAD:n"), "the plan\nthe plan")
    writeFileSync(file, "until: true\nprompt: x\n")
    const wrong = await run(["loop", "check", file])
    assert.deepStrictEqual([wrong.code, wrong.stdout.split(":").slice(1, 3)], [1, ["1", "8"]])
    assert.match((await run(["loop", file])).stderr, /1:8: until: expected a shell command, not true/)
  })

  it("is a step of a pipeline: its best round is what the steps after it find, and its end decides", async () => {
    makeRepository(home)
    const file = join(beat.home, "pipeline.yaml")
    const pipeline = (wanted: number) => `isolate: true
defaults: { agent: shell }
steps:
  - { name: first, prompt: echo start > n }
  - name: fix
    prompt: echo x >> n; echo "it's a line"
    loop: { until: test $(wc -l < n) -ge ${wanted}, max: 2 }
  - { name: last, prompt: cat n > copy }
`
    writeFileSync(file, pipeline(3))
    const id = (await run(["pipeline", "run", file])).stdout.trim()
    assert.strictEqual((await run(["wait", id, "--timeout", "90s"])).code, 0)
    assert.strictEqual((await run(["merge", id])).code, 0)
    assert.strictEqual(gitIn(home, "show", "HEAD:copy"), "start\nx\nx")
    const loop = await shown("@last")
    assert.deepInclude(loop, { status: "passed", round: 2 })
    const task = loop.stepTask ?? ""
    const told = (await run(["loop", "status", "@last"])).stdout
    assert.match(told, new RegExp(`^begun by +task ${task}$`, "m"))
    assert.notMatch(told, /^waiting/m)
    assert.match((await run(["result", task])).stdout, /ended as passed\. Round 2 of 2 is kept/)
    writeFileSync(file, pipeline(9))
    const other = (await run(["pipeline", "run", file])).stdout.trim()
    assert.strictEqual((await run(["wait", other, "--timeout", "90s"])).code, 1)
    assert.match((await run(["pipeline", "status", other])).stdout, /fix +failed[\s\S]*last +skipped/)
    const { stdout } = await run(["status", (await shown("@last")).stepTask ?? ""])
    assert.match(stdout, /Its loop ended as exhausted: beat loop status/)
  })

  it("begins once as a step, also when its worker is killed right after", async () => {
    makeRepository(home)
    const file = join(beat.home, "pipeline.yaml")
    writeFileSync(
      file,
      `isolate: true
defaults: { agent: shell }
steps:
  - { name: fix, prompt: echo x >> n, loop: { until: test $(wc -l < n) -ge 2 } }
  - { name: last, prompt: cat n > copy }
`
    )
    const doomed = beat.start(["worker", "--keep"], { env: { BACKBEAT_FAILPOINTS: "loop.begun:kill" } })
    await until("it serves", () => beat.workers().length === 1)
    const id = (await run(["pipeline", "run", file])).stdout.trim()
    assert.strictEqual((await doomed.done).signal, "SIGKILL")
    assert.strictEqual((await run(["wait", id, "--timeout", "60s"])).code, 0)
    assert.deepStrictEqual(beat.rows("SELECT status, round FROM loops"), [{ status: "passed", round: 2 }])
    assert.strictEqual((await run(["merge", id])).code, 0)
    assert.strictEqual(gitIn(home, "show", "HEAD:copy"), "x\nx")
  })

  it("runs in a schedule from what is checked out then, and ends with the task that waits for it", async () => {
    makeRepository(home)
    const file = join(beat.home, "loop.yaml")
    writeFileSync(
      file,
      "{ agent: shell, prompt: 'cp a.txt b.txt; echo $BACKBEAT_TASK_ID > c', until: cat c; test -e go, max: 1000 }"
    )
    const created = await run(["schedule", "create", "--every", "1h", "--name", "nightly", "--loop", file])
    assert.strictEqual(created.code, 0, created.stderr)
    writeFileSync(join(home, "a.txt"), "later\n")
    gitIn(home, "commit", "-qam", "later")
    assert.strictEqual((await run(["schedule", "run-now", "nightly"])).code, 0)
    await until(
      "its first round has worked",
      () => beat.rows("SELECT 1 FROM loop_rounds WHERE verdict IS NOT NULL").length > 0
    )
    const loop = await shown("@last")
    assert.strictEqual(left(loop.rounds[0]?.workTask ?? "", "b.txt"), "later")
    assert.match((await run(["schedule", "status", "nightly"])).stdout, /starts +a loop for shell/)
    const task = loop.stepTask ?? ""
    assert.match((await run(["why", task])).stdout, /^It waits for the end of its loop/)
    const list = await run(["list", "--limit", "1000"])
    assert.match(list.stdout, new RegExp(`${task}.* loop `))
    const screen = await run([])
    assert.notMatch(screen.stdout, /paused/)
    assert.strictEqual((await run(["cancel", task])).code, 0)
    await until(
      "the loop has ended too",
      () => beat.rows<{ status: string }>("SELECT status FROM loops")[0]?.status === "cancelled"
    )
    assert.match((await run(["schedule", "history", "nightly"])).stdout, /cancelled/)
    const outside = await beat.run(["schedule", "create", "--every", "1h", "--loop", file], { cwd: beat.home })
    assert.match(`${outside.code} ${outside.stderr}`, /^2 .*git init/)
  })

  it("runs in a schedule that says the loop in one line, and a task that is scheduled becomes one", async () => {
    makeRepository(home)
    const schedule = (...words: ReadonlyArray<string>) => run(["schedule", ...words])
    const rounds = (count: number) => ["--until", `test $(wc -l < n) -ge ${count}`, "--max", "3"]
    const work = ["-a", "shell", "--env", "WORD=said", "echo $WORD >> n"]
    const created = await schedule("create", "--every", "1h", "--name", "inline", ...rounds(2), ...work)
    assert.strictEqual(created.code, 0, created.stderr)
    assert.match((await schedule("status", "inline")).stdout, /starts +a loop for shell/)
    const first = (await schedule("run-now", "inline")).stdout.trim()
    assert.strictEqual((await run(["wait", first, "--timeout", "280s"])).code, 0)
    assert.deepInclude(await shown("@last"), { status: "passed", round: 2 })
    assert.strictEqual((await run(["merge", first])).code, 0)
    assert.strictEqual(gitIn(home, "show", "HEAD:n"), "said\nsaid")
    const sessionless = await schedule("create", "--every", "1h", "--session", ...rounds(2), ...work)
    assert.match(`${sessionless.code} ${sessionless.stderr}`, /^2 .*shell keeps no session/)
    const half = await schedule("edit", "inline", "--max", "5")
    assert.match(`${half.code} ${half.stderr}`, /^2 .*The prompt of the loop is missing/)

    assert.strictEqual((await schedule("create", "--every", "1h", "--name", "task", ...work)).code, 0)
    const edited = await schedule("edit", "task", ...rounds(3))
    assert.strictEqual(edited.code, 0, edited.stderr)
    assert.match((await schedule("status", "task")).stdout, /starts +a loop for shell/)
    const second = (await schedule("run-now", "task")).stdout.trim()
    assert.strictEqual((await run(["wait", second, "--timeout", "280s"])).code, 0)
    // The round adds to what the first loop left, with the agent and the variable of the task.
    assert.deepInclude(await shown("@last"), { status: "passed", round: 1 })
    assert.strictEqual((await run(["merge", second])).code, 0)
    assert.strictEqual(gitIn(home, "show", "HEAD:n"), "said\nsaid\nsaid")
  })

  it("continues the session of the round before with --session, and begins another where that is lost", async () => {
    makeRepository(home)
    const bin = join(beat.home, "bin")
    const sessions = join(beat.home, "sessions")
    mkdirSync(bin)
    mkdirSync(sessions)
    symlinkSync(resolve(import.meta.dirname, "askingClaude.cjs"), join(bin, "claude"))
    const env = {
      PATH: `${bin}:${process.env.PATH ?? "/usr/bin:/bin"}`,
      ASKING_HOME: sessions,
      ANTHROPIC_API_KEY: "sk-test"
    }
    const turns = (): ReadonlyArray<{ resumed: boolean; session: string; prompt: string }> =>
      readFileSync(join(sessions, "journal"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
    const rounds = async (until: string) => {
      const args = ["loop", "-a", "claude", "--session", "--max", "2", "--until", until, "make it work"]
      const { code, stderr, stdout } = await beat.run(args, { cwd: home, env })
      assert.strictEqual(code, 0, stderr)
      assert.deepInclude(await ended(stdout.trim()), { code: 1, status: "exhausted", round: 2 })
    }
    await rounds("false")
    const [first, second] = turns()
    assert.strictEqual(first?.resumed, false)
    assert.deepStrictEqual([second?.resumed, second?.session], [true, first?.session])
    assert.match(second?.prompt ?? "", /^make it work[\s\S]*This is round 2 of at most 2/)
    await rounds(`rm -f ${sessions}/session-*; false`)
    const [, , third, lost, again] = turns()
    assert.deepStrictEqual([lost?.resumed, lost?.session], [true, third?.session])
    assert.strictEqual(again?.resumed, false)
    assert.match(again?.prompt ?? "", /^make it work[\s\S]*This is round 2 of at most 2/)
    const refused = await run(["loop", "-a", "shell", "--session", "--until", "true", "--", "echo x"])
    assert.match(`${refused.code} ${refused.stderr}`, /^2 .*shell keeps no session that the next round could continue/)
    const file = join(beat.home, "pipeline.yaml")
    writeFileSync(file, "{ isolate: true, steps: [{ agent: shell, prompt: x, loop: { until: y, session: true } }] }")
    const step = await run(["pipeline", "run", file])
    assert.match(`${step.code} ${step.stderr}`, /^2 .*shell keeps no session/)
  })

  it("ends after its last round with exit code 1, and refuses a loop without a bound or an aim", async () => {
    makeRepository(home)
    const id = await start("echo x >> n", "--until", "test $(wc -l < n) -ge 3", "--max", "2")
    assert.deepInclude(await ended(id), { code: 1, status: "exhausted", round: 2 })
    const refused = async (...args: ReadonlyArray<string>) => {
      const { code, stderr } = await run(["loop", "-a", "shell", ...args, "--", "echo x"])
      return `${code} ${stderr}`
    }
    assert.match(await refused("--until", "true", "--max", "0"), /^2 .*not a whole number from 1 to 1000/)
    assert.match(await refused(), /^2 .*needs --until, --score or --judge/)
    assert.match(await refused("--score", "echo 1"), /^2 .*--better/)
    assert.match(await refused("--until", "true", "--target", "3"), /^2 .*--target needs --score/)
    assert.match(await refused("--until", " "), /^2 .*it is empty/)
    assert.match(await refused("--until", "true", "--budget", "much"), /^2 .*not an amount of money/)
    assert.strictEqual(beat.rows("SELECT id FROM loops").length, 1)
  })

  it("keeps the best score past a crash, a hang and a number that is none", async () => {
    makeRepository(home)
    // The evaluation of each round prints another number; that of the fourth hangs until its time is over.
    const work = 'echo "$BACKBEAT_TASK_ID" > id'
    const tally = join(beat.home, "tally")
    const score = `n=$(cat ${tally} 2>/dev/null || echo 0); n=$((n + 1)); echo $n > ${tally}; case $n in 1) echo 5;; 2) echo 3;; 3) echo nan;; 4) sleep 60;; 5) exit 9;; *) echo 4;; esac`
    const id = await start(work, "--score", score, "--better", "lower", "--max", "6", "--evaluation-timeout", "5s")
    const loop = await ended(id)
    assert.deepInclude(loop, { code: 0, status: "exhausted", bestRound: 2, bestScore: 3 })
    assert.deepStrictEqual(
      loop.rounds.map(({ kept, score, verdict }) => [verdict, score, kept]),
      [
        ["pass", 5, true],
        ["pass", 3, true],
        ["error", null, false],
        ["error", null, false],
        ["error", null, false],
        ["pass", 4, false]
      ]
    )
    const best = loop.rounds[1]?.workTask ?? ""
    assert.strictEqual(left(best, "id"), best)
    const status = (await run(["loop", "status", id])).stdout
    assert.match(status, /^best +3 \(round 2\)$/m)
    assert.match(status, /^scores +█▁\.\.\.▅$/m)
    assert.lengthOf(Array.from(status.matchAll(/ its evaluation failed: beat status \w{12}$/gm)), 3)
  })

  it("makes a slow program faster over ten rounds, past one that cheats, one that crashes and one that hangs", async () => {
    makeRepository(home, {
      "program.sh": "i=0; while [ $i -lt 900 ]; do i=$((i + 1)); done; echo $i\n",
      "bench.sh": "sh program.sh | tail -n 1\n"
    })
    // The scripted agent halves or worsens the work of the program, by what is there.
    const tally = join(beat.home, "tally")
    const work = `n=$(cat ${tally} 2>/dev/null || echo 0); n=$((n + 1)); echo $n > ${tally}
steps=$(sed -n 's/.*-lt \\([0-9]*\\).*/\\1/p' program.sh)
becomes() { sed -i "s/-lt [0-9]*/-lt $1/" program.sh; }
case $n in
  3) echo "echo 0" > bench.sh;;
  5) echo "exit 9" > program.sh;;
  7) echo "sleep 60" > program.sh;;
  9) becomes $((steps + 50));;
  *) becomes $((steps - 100));;
esac`
    const id = await start(
      work,
      "--score",
      "sh ./bench.sh",
      "--better",
      "lower",
      "--evaluation-timeout",
      "4s",
      "--max",
      "10"
    )
    const loop = await ended(id)
    assert.deepStrictEqual(
      loop.rounds.map(({ kept, score, verdict }) => [verdict, score, kept]),
      [
        ["pass", 800, true],
        ["pass", 700, true],
        ["tampered", 0, false],
        ["pass", 600, true],
        ["error", null, false],
        ["pass", 500, true],
        ["error", null, false],
        ["pass", 400, true],
        ["pass", 450, false],
        ["pass", 300, true]
      ]
    )
    assert.deepInclude(loop, { code: 0, status: "exhausted", bestRound: 10, bestScore: 300 })
    assert.strictEqual((await run(["merge", id])).code, 0)
    assert.include(gitIn(home, "show", "HEAD:program.sh"), "-lt 300")
    assert.strictEqual(gitIn(home, "show", "HEAD:bench.sh"), "sh program.sh | tail -n 1")
  })

  it("discards a round that changes its own evaluation, and tells the next one", async () => {
    makeRepository(home, { "a.txt": "0\n", "check.sh": "test $(cat a.txt) -ge 2\n" })
    // The second round makes its evaluation pass; the later ones do the work.
    const tally = join(beat.home, "tally")
    const work = `n=$(cat ${tally} 2>/dev/null || echo 0); n=$((n + 1)); echo $n > ${tally}
case $n in 1) echo 1 > a.txt;; 2) echo true > check.sh;; *) echo 2 > a.txt;; esac`
    const id = await start(work, "--until", "sh ./check.sh", "--max", "4")
    const loop = await ended(id)
    assert.deepInclude(loop, { code: 0, status: "passed", round: 3 })
    assert.deepInclude(loop.rounds[1] ?? {}, { verdict: "tampered", kept: false, tampered: "check.sh" })
    assert.strictEqual(left(loop.rounds[2]?.workTask ?? "", "check.sh"), "test $(cat a.txt) -ge 2")
    const { stdout } = await run(["loop", "status", id])
    assert.match(stdout, /tampered .*changed check\.sh/)
  })

  it("pauses, resumes and is cancelled by name", async () => {
    makeRepository(home)
    const go = join(beat.home, "go")
    const id = await start(
      `while ! test -e ${go}; do sleep 0.05; done; echo x >> n`,
      "--until",
      "test $(wc -l < n) -ge 2"
    )
    assert.match((await run(["loop", "pause", id])).stdout, /pauses after round 1/)
    writeFileSync(go, "")
    await until("it is paused", () => beat.rows<{ status: string }>("SELECT status FROM loops")[0]?.status === "paused")
    assert.match((await run(["wait", id])).stdout, /paused/)
    assert.match((await run(["loop", "resume", id])).stdout, /running, round 2/)
    assert.deepInclude(await ended(id), { code: 0, status: "passed", round: 2 })
    assert.strictEqual((await run(["loop", "pause", id])).code, 1)
    const other = await start("sleep 60", "--until", "true")
    await until("it runs", () => beat.rows("SELECT id FROM tasks WHERE status = 'running'").length > 0)
    assert.match((await run(["loop", "cancel", other, "--reason", "enough"])).stdout, /cancelled/)
    assert.strictEqual((await run(["wait", other])).code, 4)
    assert.match((await run(["loop", "list"])).stdout, /cancelled[\s\S]*passed/)
    assert.strictEqual((await run(["loop", "status", "zzzz"])).code, 3)
  })

  it("has the same rounds and the same best when its workers are killed all the time", async () => {
    makeRepository(home)
    const work = "echo x >> n; sleep 0.2"
    const rules = ["--score", "wc -l < n", "--better", "higher", "--max", "6"]
    const id = await start(work, ...rules)
    let kills = 0
    const killer = setInterval(() => {
      for (const pid of beat.workers()) {
        try {
          process.kill(pid, "SIGKILL")
          kills += 1
        } catch {
          // It has left.
        }
      }
    }, 700)
    const waited = run(["wait", id, "--timeout", "100s"])
    try {
      await until(
        "some workers were killed",
        () => kills >= 4 || beat.rows("SELECT 1 FROM loops WHERE ended_at IS NOT NULL").length > 0,
        60_000
      )
    } finally {
      clearInterval(killer)
    }
    assert.strictEqual((await waited).code, 0)
    const loop = await shown(id)
    assert.isAbove(kills, 1)
    assert.deepInclude(loop, { status: "exhausted", bestRound: 6, bestScore: 6 })
    assert.deepStrictEqual(
      loop.rounds.map(({ kept, score, verdict }) => [verdict, score, kept]),
      [1, 2, 3, 4, 5, 6].map((score) => ["pass", score, true])
    )
    // Each task was started once: nothing was counted twice.
    assert.strictEqual(left(loop.rounds[5]?.workTask ?? "", "n"), "x\nx\nx\nx\nx\nx")
    assert.strictEqual(beat.rows("SELECT id FROM tasks").length, 12)
  })
})
