/** The ledger with real processes: a worker that is killed at any step counts each run once, and `beat usage` shows it. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { Beat, until } from "./Beat.ts"

/** Counts over its one session as Codex does: each turn adds 1000 tokens to the total that it prints. */
const codex = `#!/bin/sh
cat > /dev/null
turns=$(cat "$TURNS" 2>/dev/null || echo 0)
turns=$((turns + 1))
echo "$turns" > "$TURNS"
echo '{"type":"thread.started","thread_id":"01a20741-6a90-7192-9e6d-e419dc128c50"}'
echo '{"type":"turn.started"}'
echo '{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"done"}}'
printf '{"type":"turn.completed","usage":{"input_tokens":%d000,"cached_input_tokens":%d00,"output_tokens":%d0}}\\n' "$turns" "$turns" "$turns"
`

const counting = () => {
  const beat = new Beat()
  const bin = join(beat.home, "bin")
  mkdirSync(bin)
  writeFileSync(join(bin, "codex"), codex, { mode: 0o755 })
  const env = {
    PATH: `${bin}:${process.env.PATH ?? "/usr/bin:/bin"}`,
    TURNS: join(beat.home, "turns"),
    CODEX_API_KEY: "sk-test",
    TZ: "UTC"
  }
  const submit = async (args: ReadonlyArray<string> = [], model = "gpt-5-codex") => {
    const { code, stderr, stdout } = await beat.run(["run", "-a", "codex", "-m", model, ...args, "count"], {
      env
    })
    assert.strictEqual(code, 0, stderr)
    return stdout.trim()
  }
  const report = async (args: ReadonlyArray<string> = []) => {
    const { stderr, stdout } = await beat.run(["usage", "--json", ...args], { env })
    assert.strictEqual(stderr, "")
    const view: { rows: ReadonlyArray<{ group: ReadonlyArray<string>; runs: number }>; total: Record<string, number> } =
      JSON.parse(stdout)
    return view
  }
  return { beat, env, report, submit }
}

describe("beat usage", () => {
  it("counts a session once over tasks, shows it in every form, and keeps it when the tasks are pruned", async () => {
    const { beat, env, report, submit } = counting()
    try {
      assert.match((await beat.run(["usage"], { env })).stdout, /^No run of an agent ended since/)
      for (const team of ["web", "web", "core"]) {
        const id = await submit(["--label", `team=${team}`])
        assert.strictEqual((await beat.run(["wait", "--timeout", "280s", id])).code, 0)
      }
      const { total } = await report()
      assert.deepInclude(total, { tasks: 3, runs: 3, inputTokens: 2700, cacheReadTokens: 300, outputTokens: 30 })
      // 2700 at 1.25, 300 at 0.125 and 30 at 10 dollars for a million.
      assert.approximately(total.costUsd ?? 0, 0.003713, 2e-6)
      assert.strictEqual(total.costUsd, total.estimatedUsd)
      const labelled = await report(["--by", "label:team,model"])
      assert.deepStrictEqual(
        labelled.rows.map(({ group, runs }) => [...group, runs]),
        [
          ["web", "gpt-5-codex", 2],
          ["core", "gpt-5-codex", 1]
        ]
      )
      const table = await beat.run(["usage", "--by", "day"], { env })
      assert.match(table.stdout, /^DAY .*COST/)
      assert.match(table.stdout, /\ntotal .* 2\.7k +30 +300 +~\$0\.0037/)
      assert.match(table.stdout, /~ includes costs that are computed from list prices/)
      const csv = await beat.run(["usage", "--by", "agent", "--csv"], { env })
      assert.match(csv.stdout, /^agent,tasks,runs,inputTokens,.*\ncodex,3,3,2700,30,300,0,0\.0037/)
      const wrong = await beat.run(["usage", "--by", "modle"], { env })
      assert.deepStrictEqual([wrong.code, /did you mean 'model'/.test(wrong.stderr)], [2, true])

      assert.strictEqual((await beat.run(["prune", "--older-than", "0"])).code, 0)
      assert.deepStrictEqual(beat.rows("SELECT id FROM tasks"), [])
      assert.deepStrictEqual((await report()).total, total)
    } finally {
      await beat.close()
    }
  })

  it("takes a price from the settings, also for a model with dots in its name", async () => {
    const { beat, env, report, submit } = counting()
    try {
      const set = await beat.run(["config", "set", "prices.my-gpt.5", '{"input":100,"output":0,"cacheRead":0}'])
      assert.strictEqual(set.code, 0, set.stderr)
      assert.match((await beat.run(["config", "get", "prices.my-gpt.5"])).stdout, /"input":100/)
      const id = await submit([], "my-gpt.5")
      assert.strictEqual((await beat.run(["wait", "--timeout", "280s", id], { env })).code, 0)
      assert.strictEqual((await report()).total.costUsd, 0.09)
      const bad = await beat.run(["config", "set", "prices.other", '{"input":-1,"output":0}'])
      assert.strictEqual(bad.code, 2)
    } finally {
      await beat.close()
    }
  })

  const places = ["supervise.ended", "supervise.drained", "finish.commit", "finish.committed", "release.discarded"]
  for (const place of places) {
    it(`counts a run once where the worker is killed at ${place}`, async () => {
      const { beat, env, report, submit } = counting()
      try {
        const doomed = beat.start(["worker", "--keep"], { env: { ...env, BACKBEAT_FAILPOINTS: `${place}:kill` } })
        await until("it is on the list", () => beat.workers().length === 1)
        const id = await submit()
        assert.strictEqual((await doomed.done).signal, "SIGKILL")
        assert.strictEqual((await beat.run(["wait", "--timeout", "280s", id])).code, 0)
        const { total } = await report()
        assert.deepInclude(total, { tasks: 1, runs: 1, inputTokens: 900, outputTokens: 10 })
        assert.deepStrictEqual(beat.rows("SELECT input_tokens FROM session_totals"), [{ input_tokens: 900 }])
      } finally {
        await beat.close()
      }
    })
  }
})
