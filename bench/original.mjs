/** The original that Backbeat replaces, installed once into the cache directory, with an agent that runs its prompt. */
import { spawnSync } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { cache, launcher, scratch } from "./measure.mjs"

const released = "autobeat@1.5.2"

/** Its command file, or why there is none. */
export const install = () => {
  const directory = join(cache, "original")
  const file = join(directory, "node_modules", "autobeat", "dist", "cli.js")
  if (!existsSync(file)) {
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, "package.json"), JSON.stringify({ name: "original", private: true }))
    const npm = spawnSync("npm", ["install", "--no-audit", "--no-fund", released], {
      cwd: directory,
      encoding: "utf8",
      timeout: 180_000
    })
    if (!existsSync(file)) {
      const said = (npm.stderr ?? "").split("\n").find((line) => /npm (error|ERR)/.test(line))
      return {
        file: null,
        problem: `${released} could not be installed: ${said ?? npm.error?.message ?? "npm failed"}`
      }
    }
  }
  const tried = spawnSync(process.execPath, [file, "--version"], { encoding: "utf8", timeout: 20_000 })
  return tried.status === 0
    ? { file, problem: null }
    : { file: null, problem: `${released} does not start: ${tried.stderr.split("\n")[0]}` }
}

/** Takes its prompt for a shell script, as Backbeat's `shell` does: the original knows only three agents by name. */
const agent = '#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n'

/** The original starts nothing while the load average is above 1 on two cores, as during a benchmark: it reads 0 here. */
const unhindered = 'require("node:os").loadavg = () => [0, 0, 0]\nrequire("node:module").syncBuiltinESMExports()\n'

/** The original with a separate HOME, and with the settings without which it starts nothing on a small machine. */
export const makeOriginal = (file, settings = {}, kept = null) => {
  const { directory, remove } = scratch()
  const home = kept ?? directory
  const programs = join(directory, "bin")
  mkdirSync(programs, { recursive: true })
  writeFileSync(join(programs, "claude"), agent)
  chmodSync(join(programs, "claude"), 0o755)
  const preloaded = join(directory, "unhindered.cjs")
  writeFileSync(preloaded, unhindered)
  const env = {
    NODE_OPTIONS: `--require=${preloaded}`,
    PATH: `${programs}${delimiter}${process.env.PATH}`,
    HOME: home,
    CPU_CORES_RESERVED: "1",
    MEMORY_RESERVE: "500000000",
    ...settings
  }
  const { node, start, stop } = launcher(home, env)
  const beat = (...words) => node([file, ...words])
  const close = async () => {
    stop()
    remove()
  }
  return { directory: home, database: join(home, ".autobeat", "autobeat.db"), env, start, node, beat, close, file }
}
