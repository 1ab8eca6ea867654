/** The MCP server: how soon it answers, and what a call costs with many tasks. */
import { copied, manyTasks, manyTasksOfOriginal, templateOf } from "../databases.mjs"
import { connect } from "../mcpClient.mjs"
import { binary, cpuOf, interleaved, makeHome, now, shareOf, sleep } from "../measure.mjs"
import { makeOriginal } from "../original.mjs"
import { percentile } from "../statistics.mjs"

const openWaits = 500

/** A server with many open waits for one task that runs: what it uses, how soon it answers a ping, and how long it takes to leave. */
const waited = async (quick) => {
  const home = makeHome()
  const server = connect(home, [binary, "mcp", "start"])
  try {
    await server.initialize()
    const call = (name, given) => server.request("tools/call", { name, arguments: given })
    const made = await call("DelegateTask", { agent: "shell", prompt: "sleep 120" })
    const [{ id }] = made.structuredContent.tasks
    await sleep(3000)
    const share = async () => (cpuOf(process.pid) === null ? [] : [await shareOf(server.pid, quick ? 3000 : 6000)])
    const ping = async () => {
      const began = now()
      await server.request("ping")
      return now() - began
    }
    const wait = () => call("WaitTasks", { ids: [id], timeoutMs: 50_000 }).catch(() => undefined)
    wait()
    await sleep(1000)
    const one = await share()
    for (let count = 1; count < openWaits; count++) wait()
    const first = await ping()
    await sleep(3000)
    const many = await share()
    const pings = []
    for (let count = 0; count < (quick ? 100 : 300); count++) {
      pings.push(await ping())
      await sleep(10)
    }
    const began = now()
    await server.leave()
    const leaving = now() - began
    await home.beat("cancel", id)
    return { one, many, first, pings, leaving }
  } finally {
    await server.kill()
    await home.close()
  }
}

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

    say(`  (${openWaits} open waits ...)`)
    const { first, leaving, many, one, pings } = await waited(quick)
    report({ name: "1 open wait, share of a core", unit: "%", beat: one })
    report({ name: `${openWaits} open waits, share of a core`, unit: "%", beat: many })
    for (const [name, beat, text, limit] of [
      [`ping right behind ${openWaits} waits`, first, "<= 100 ms", 100],
      [`ping p50, ${openWaits} open waits`, percentile(pings, 0.5), "<= 100 ms", 100],
      [`ping p99, ${openWaits} open waits`, percentile(pings, 0.99), "<= 100 ms", 100],
      [`leaving, ${openWaits} open waits`, leaving, "<= 1 s", 1000]
    ]) {
      report({ name, unit: "ms", beat: [beat], goal: { text, limit } })
    }
  } finally {
    await mine.close()
    await theirs?.close()
    mineCopy.remove()
    theirsCopy?.remove()
  }
}
