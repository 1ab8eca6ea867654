/** Who is alive and who serves, asked by real processes: another pid namespace, a stopped worker, process 1, another user. */
import { spawn, spawnSync } from "node:child_process"
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { makeRepository } from "../support/repository.ts"
import { Beat, binary, children, isAlive, kill, until } from "./Beat.ts"

const namespaces = ["--pid", "--fork", "--mount-proc"]
const mayUnshare = process.platform === "linux" && spawnSync("unshare", [...namespaces, "true"]).status === 0
const isRoot = process.geteuid?.() === 0 && spawnSync("setpriv", ["--version"]).status === 0

const patience = 240_000

/** `beat` as another program starts it, to its end. */
const under = (beat: Beat, program: string, args: ReadonlyArray<string>, words: ReadonlyArray<string>) =>
  new Promise<{ readonly code: number | null; readonly text: string }>((done) => {
    const child = spawn(program, [...args, process.execPath, binary, ...words], {
      cwd: beat.home,
      env: beat.environment,
      stdio: ["ignore", "pipe", "pipe"]
    })
    let text = ""
    child.stdout.on("data", (data) => {
      text += String(data)
    })
    child.stderr.on("data", (data) => {
      text += String(data)
    })
    child.once("close", (code) => done({ code, text }))
  })

const running = (beat: Beat, id: string) => until(`${id} prints`, () => beat.output(id).length > 0, patience)

describe.skipIf(!mayUnshare)("another pid namespace (needs unshare --pid)", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it("only waits: the agent, its output and its verdict stay whole", async () => {
    const id = await beat.submit("for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done")
    await running(beat, id)
    const shim = beat.shim(id)
    const why = await under(beat, "unshare", namespaces, ["why", id])
    assert.match(why.text, /It is running/)
    const waited = await under(beat, "unshare", namespaces, ["wait", id])
    assert.strictEqual(waited.code, 0, waited.text)
    assert.isNotNull(shim)
    assert.deepStrictEqual(beat.status(id), { status: "completed", cause: "exit", exit_code: 0 })
    assert.strictEqual(beat.output(id).toString(), "1\n2\n3\n4\n5\n6\n")
  })

  it("has a process 1 that serves the queue and leaves with code 0", async () => {
    const own = new Beat()
    const served = under(own, "unshare", ["--kill-child", ...namespaces], ["worker"])
    await until("it is on the list", () => own.workers().length > 0, patience)
    const { code, text } = await served
    assert.strictEqual(code, 0, text)
    assert.notInclude(text, "damaged")
    await own.close()
  })
})

describe.skipIf(process.platform !== "linux")("a stopped worker", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it("serves nothing: another is launched, its own task says so and can be cancelled", async () => {
    const claim = beat.start(["worker", "--keep"])
    await until("it is on the list", () => beat.workers().length > 0, patience)
    const held = await beat.submit("echo held; exec tail -f /dev/null")
    await running(beat, held)
    const [pid = 0] = beat.workers()
    kill(pid, "SIGSTOP")
    const id = await beat.submit("echo through")
    const waited = await beat.run(["wait", "--timeout", "280s", id])
    assert.strictEqual(waited.code, 0, waited.stderr)
    const why = await beat.run(["why", held])
    assert.include(why.stdout, `kill -CONT ${pid}`)
    assert.include((await beat.run(["doctor"])).stdout, "stopped by a signal")
    const cancelled = await beat.run(["cancel", held])
    assert.strictEqual(cancelled.code, 0, cancelled.stderr)
    assert.strictEqual(beat.status(held).status, "cancelled")
    claim.child.kill("SIGTERM")
    await claim.done
  })

  const work = "echo held; exec tail -f /dev/null"
  // Each waits for what a worker has to do.
  const kinds: ReadonlyArray<{
    readonly command: ReadonlyArray<string>
    readonly submit: ReadonlyArray<string>
    readonly after: string
  }> = [
    { command: ["pause", "--freeze"], submit: ["run", "-a", "shell", work], after: "running" },
    {
      command: ["pipeline", "cancel"],
      submit: ["pipeline", "run", "-a", "shell", "--step", work],
      after: "cancelled"
    },
    {
      command: ["loop", "cancel"],
      submit: ["loop", "-a", "shell", work, "--until", "true"],
      after: "cancelled"
    },
    { command: ["cancel"], submit: ["run", "-a", "shell", "--times", "2", "--best", "true", work], after: "cancelled" }
  ]
  for (const { after, command, submit } of kinds) {
    it(`carries out beat ${command.join(" ")}`, async () => {
      const beat = new Beat({ BACKBEAT_GRACE_MS: "500" })
      try {
        const cwd = join(beat.home, "repository")
        makeRepository(cwd)
        const submitted = await beat.run(submit, { cwd })
        assert.strictEqual(submitted.code, 0, submitted.stderr)
        const first = () => beat.rows<{ id: string; status: string }>("SELECT id, status FROM tasks ORDER BY seq")[0]
        await until("it runs", () => first()?.status === "running", patience)
        await running(beat, first()?.id ?? "")
        const [pid = 0] = beat.workers()
        kill(pid, "SIGSTOP")
        const told = await beat.run([...command, submitted.stdout.trim()])
        assert.strictEqual(told.code, 0, told.stderr)
        assert.strictEqual(first()?.status, after)
        await beat.run(["cancel", first()?.id ?? ""])
      } finally {
        await beat.close()
      }
    })
  }
})

describe.skipIf(process.platform !== "linux")("a worker that is told to go", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`hands over on ${signal} what still runs`, async () => {
      const beat = new Beat()
      const claim = beat.start(["worker", "--keep"])
      await until("it is on the list", () => beat.workers().length > 0, patience)
      const [pid = 0] = beat.workers()
      const id = await beat.submit("echo begun; sleep 2; echo over")
      await running(beat, id)
      kill(pid, signal)
      await claim.done
      assert.include(claim.stderr(), "a worker in the background takes over")
      await until("it ends, though no command looks", () => beat.status(id).status === "completed", patience)
      await beat.close()
    })
  }
})

describe.skipIf(process.platform !== "linux")("a running task whose processes are gone", () => {
  for (const look of [["list"], ["why", "@last"], ["status", "@last"], []]) {
    it(`is told by 'beat ${look.join(" ")}', which starts a worker that ends it`, async () => {
      const beat = new Beat()
      const id = await beat.submit("echo here; exec tail -f /dev/null")
      await running(beat, id)
      const shim = beat.shim(id) ?? 0
      const all = [...beat.workers(), shim, ...children(shim)]
      for (const pid of all) kill(pid, "SIGKILL")
      await until("all are gone", () => !all.some(isAlive), patience)
      const seen = await beat.run(look)
      assert.match(`${seen.stdout}${seen.stderr}`, /lost its worker/)
      await until("its end", () => beat.status(id).cause === "owner-lost", patience)
      await beat.close()
    })
  }
})

describe.skipIf(process.platform !== "linux")("a loop and a pipeline whose running task has lost its worker", () => {
  const kinds = [
    ["loop", ["loop", "start", "-a", "shell", "exec tail -f /dev/null", "--until", "true"]],
    ["pipeline", ["pipeline", "run", "-a", "shell", "--step", "exec tail -f /dev/null"]]
  ] as const
  for (const [kind, words] of kinds) {
    it(`say so in 'beat ${kind} status', which starts a worker that takes the task over`, async () => {
      const beat = new Beat()
      const shop = join(beat.home, "shop")
      makeRepository(shop)
      assert.strictEqual((await beat.run(words, { cwd: shop })).code, 0)
      const runs = () =>
        beat.rows<{ id: string; worker: string }>(
          "SELECT task_id AS id, worker_id AS worker FROM claims WHERE state = 'running'"
        )[0]
      await until("it runs", () => runs() !== undefined, patience)
      const before = runs()?.worker
      const workers = beat.workers()
      for (const pid of workers) kill(pid, "SIGKILL")
      await until("the worker is gone", () => !workers.some(isAlive), patience)
      const seen = await beat.run([kind, "status"])
      assert.match(seen.stderr, /lost its worker[\s\S]*A worker was started now/)
      await until("it is taken over", () => runs() !== undefined && runs()?.worker !== before, patience)
      assert.strictEqual((await beat.run([kind, "cancel", "@last"])).code, 0)
      await beat.close()
    })
  }
})

describe.skipIf(!isRoot)("a home of another user (needs root and setpriv)", () => {
  it("is not written by root, which is told whose it is", async () => {
    const beat = new Beat()
    chmodSync(beat.home, 0o755)
    mkdirSync(join(beat.home, "state"), { recursive: true })
    chownSync(join(beat.home, "state"), 54_321, 54_321)
    const refused = await beat.run(["run", "-a", "shell", "id -u"])
    assert.strictEqual(refused.code, 74, refused.stderr)
    assert.match(refused.stderr, /belongs to uid 54321 and you are root/)
    assert.isFalse(existsSync(join(beat.home, "state", "logs", "worker.log")))
    assert.isFalse(existsSync(beat.databaseFile))
    assert.match((await beat.run(["doctor"])).stdout, /owner .*uid 54321/)
    await beat.close()
  })

  const user = 54_321
  const theirs = (path: string) => chownSync(path, user, user)

  it("gets no log, no settings and no lock from root", async () => {
    const beat = new Beat()
    chmodSync(beat.home, 0o755)
    const state = join(beat.home, "state")
    mkdirSync(state)
    theirs(state)
    for (const words of [
      ["mcp", "start"],
      ["config", "set", "defaultAgent", "shell"],
      ["hooks", "add", "mine", "--run", "true"],
      ["web", "--detach"],
      ["web"],
      ["init"]
    ]) {
      const refused = await beat.run(words, { env: { BACKBEAT_TRACE: "trace.jsonl" } })
      assert.strictEqual(refused.code, 74, `${words.join(" ")}: ${refused.stdout}${refused.stderr}`)
      assert.match(refused.stderr, /belongs to uid 54321 and you are root/)
    }
    await beat.run(["agents"])
    assert.deepStrictEqual(readdirSync(state), [])

    const config = join(state, "config.json")
    writeFileSync(config, '{ "maxConcurrency": 3 }', { mode: 0o600 })
    theirs(config)
    for (const change of [
      ["set", "defaultAgent", "shell"],
      ["unset", "maxConcurrency"]
    ])
      assert.strictEqual((await beat.run(["config", ...change])).code, 74)
    assert.strictEqual(statSync(config).uid, user)
    assert.deepStrictEqual(readdirSync(state), ["config.json"])
    await beat.close()
  })

  it("is told which of its files are root's", async () => {
    const beat = new Beat()
    chmodSync(beat.home, 0o755)
    const state = join(beat.home, "state")
    const config = join(state, "config.json")
    mkdirSync(join(state, "logs"), { recursive: true, mode: 0o700 })
    theirs(state)
    writeFileSync(config, "{}", { mode: 0o600 })
    const id = String(user)
    const as = ["--reuid", id, "--regid", id, "--clear-groups"]
    const seen = await under(beat, "setpriv", as, ["doctor", "--json"])
    const { detail, status } = JSON.parse(seen.text).checks.find(({ name }: { name: string }) => name === "owner")
    assert.strictEqual(status, "fail")
    assert.strictEqual(detail, `${config}, ${join(state, "logs")}: owned by root (uid 0)`)
    await beat.close()
  })
})
