/** The MCP server: how soon it answers, and what a call costs with many tasks. */
import { copied, manyTasks, manyTasksOfOriginal, templateOf } from "../databases.mjs"
import { connect } from "../mcpClient.mjs"
import { binary, interleaved, makeHome, now, sleep } from "../measure.mjs"
import { makeOriginal } from "../original.mjs"
import { percentile } from "../statistics.mjs"

export const mcp = async ({ ends, original, quick, report, reason, say }) => {
  const rounds = quick ? 3 : 9
  const count = quick ? 1000 : 100_000
  say(`  (${count} tasks ...)`)
  // Copies: a server is a worker and writes.
  const mineCopy = copied(await manyTasks(count))
  const mine = makeHome({}, mineCopy.directory)
  const theirsCopy = original === null ? null : copied(await manyTasksOfOriginal(original, count))
  const theirs = theirsCopy === null ? null : makeOriginal(original, {}, theirsCopy.directory)
  const contestants = {
    beat: { home: mine, args: [binary, "mcp", "start"], id: { id: templateOf(mine.database) } },
    ...(theirs !== null && {
      original: { home: theirs, args: [original, "mcp", "start"], id: { taskId: templateOf(theirs.database) } }
    })
  }
  const end = ends()
  try {
    const starting =
      ({ args, home }, first) =>
      async () => {
        const server = connect(home, args)
        await server.initialize()
        await server.request("tools/list")
        const ms = now() - server.began
        // Our code cache is taken a moment after the first start.
        if (first.now) await sleep(2000)
        first.now = false
        await server.kill()
        return ms
      }
    const cases = Object.fromEntries(
      Object.entries(contestants).map(([name, contestant]) => [name, starting(contestant, { now: name === "beat" })])
    )
    const starts = await interleaved(
      { "node -e 0": async () => (await mine.node(["-e", "0"])).ms, ...cases },
      rounds,
      1,
      end
    )
    report({
      name: "start to tools/list",
      unit: "ms",
      beat: starts.beat,
      original: starts.original ?? reason,
      floors: { "node -e 0": starts["node -e 0"] },
      goal: { text: "<= 0.6x original", limit: 0.6, of: "original" }
    })

    const servers = Object.fromEntries(
      Object.entries(contestants).map(([name, { args, home }]) => [name, connect(home, args)])
    )
    await Promise.all(Object.values(servers).map((server) => server.initialize()))
    await Promise.all(Object.values(servers).map((server) => server.request("tools/list")))
    // Blocks of calls in turn; the percentiles of each block are its samples.
    const calls = quick ? 200 : 500
    const blocks = await interleaved(
      Object.fromEntries(
        Object.entries(servers).map(([name, server]) => [
          name,
          async () => {
            const times = []
            for (let call = 0; call < calls; call++) {
              const began = now()
              await server.request("tools/call", { name: "TaskStatus", arguments: contestants[name].id })
              times.push(now() - began)
            }
            return times
          }
        ])
      ),
      quick ? 2 : 8,
      2,
      end
    )
    for (const [label, share] of [
      ["p50", 0.5],
      ["p99", 0.99]
    ]) {
      const of = (name) => blocks[name]?.map((times) => percentile(times, share))
      report({
        name: `TaskStatus ${label}, ${count.toLocaleString("en")} tasks`,
        unit: "ms",
        beat: of("beat"),
        original: of("original") ?? reason,
        goal: { text: "<= 2x original", limit: 2, of: "original" }
      })
    }
    await Promise.all(Object.values(servers).map((server) => server.kill()))
  } finally {
    await mine.close()
    await theirs?.close()
    mineCopy.remove()
    theirsCopy?.remove()
  }
}
