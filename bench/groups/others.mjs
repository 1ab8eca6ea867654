/**
 * What people use instead to hand over commands and to work them off: task-spooler and nq, which keep each output in a file. An agent's own
 * background mode is measured by hand (docs/performance.md): the agents are not installed where this runs, and they need a model server.
 */
import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { interleaved, makeHome, now, scratch, until } from "../measure.mjs"

const isInstalled = (program) => spawnSync(program, ["-h"], { stdio: "ignore", timeout: 5000 }).error === undefined

/** One run of a program to its end, in milliseconds. */
const ran = async (program, words, options) => {
  const began = now()
  const child = spawn(program, words, { stdio: "ignore", ...options })
  const [code] = await once(child, "close")
  if (code !== 0) throw new Error(`${program} ${words.join(" ")}: exit code ${code}`)
  return now() - began
}

/** task-spooler: a server that the first command starts. Debian calls the program tsp. */
const spooler = () => {
  const { directory, remove } = scratch()
  const options = {
    cwd: directory,
    env: { PATH: process.env.PATH, TS_SOCKET: join(directory, "socket"), TS_MAXFINISHED: "1000", TMPDIR: directory }
  }
  const tsp = (...words) => ran("tsp", words, options)
  return {
    tsp,
    submit: () => tsp("true"),
    /** Tasks per second, eight at the same time. */
    drained: async (count) => {
      await tsp("-S", "8")
      await tsp("-C")
      const began = now()
      for (let task = 0; task < count; task++) await tsp("true")
      const over = () => {
        const { stdout } = spawnSync("tsp", ["-l"], { ...options, encoding: "utf8" })
        return stdout.split("\n").filter((line) => / finished /.test(line)).length >= count ? true : null
      }
      await until("the end of the queue", over, 30_000)
      return (count * 1000) / (now() - began)
    },
    close: async () => {
      await tsp("-K")
      remove()
    }
  }
}

/** nq: a file with a lock for each job, one after the other. */
const files = () => {
  const { directory, remove } = scratch()
  const options = { cwd: directory, env: { PATH: process.env.PATH, NQDIR: directory } }
  const nq = (...words) => ran("nq", words, options)
  return {
    submit: () => nq("-q", "true"),
    /** Tasks per second, one at a time: it has no other way. */
    drained: async (count) => {
      await nq("-w")
      const began = now()
      for (let task = 0; task < count; task++) await nq("-q", "true")
      await nq("-w")
      return (count * 1000) / (now() - began)
    },
    close: async () => {
      await nq("-w")
      remove()
    }
  }
}

export const others = async ({ ends, quick, report, say }) => {
  const known = { "task-spooler": ["tsp", spooler], nq: ["nq", files] }
  const found = Object.fromEntries(
    Object.entries(known).flatMap(([name, [program, make]]) => (isInstalled(program) ? [[name, make()]] : []))
  )
  for (const name of Object.keys(known))
    if (found[name] === undefined) say(`  ${name}: not measured, it is not installed`)
  const home = makeHome()
  try {
    const cases = {
      beat: async () => (await home.beat("run", "-a", "shell", "--not-before", "1d", "true")).ms,
      ...Object.fromEntries(Object.entries(found).map(([name, { submit }]) => [name, submit]))
    }
    const { beat, ...rest } = await interleaved(cases, quick ? 3 : 10, 2, ends())
    report({ name: "to hand over one command", unit: "ms", beat, floors: rest })
    const count = 100
    const rates = {}
    for (const [name, { drained }] of Object.entries(found)) rates[name] = [await drained(count)]
    report({ name: `${count} commands that do nothing, handed over and worked off`, unit: "tasks/s", floors: rates })
  } finally {
    for (const { close } of Object.values(found)) await close()
    await home.endWorkers()
    await home.close()
  }
}
