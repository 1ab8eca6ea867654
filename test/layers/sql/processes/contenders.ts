/** Starts contenders as real processes: bundled once, since Node 20 does not run TypeScript. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync } from "node:fs"
import { join, resolve } from "node:path"
import { createInterface } from "node:readline"
import { build } from "esbuild"

/** Bundles the contender into `directory` and returns the path of the program. */
export const bundle = async (directory: string): Promise<string> => {
  const program = join(directory, "contender.cjs")
  await build({
    entryPoints: [join(import.meta.dirname, "contender.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    external: ["better-sqlite3"],
    logLevel: "error"
  })
  chmodSync(program, 0o644)
  return program
}

/** The super-user may write everywhere, so the permissions of files are tested as nobody. */
export const stranger = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}

const nextLine = async (lines: AsyncIterator<string>): Promise<string> => {
  const { done, value } = await lines.next()
  if (done === true) throw new Error("a contender ended without a word")
  return value
}

/** Runs contenders at once and returns what each tells, in their order. */
export const run = async (
  program: string,
  contenders: ReadonlyArray<readonly [mode: string, home: string, name?: string]>,
  as: { readonly uid?: number; readonly gid?: number } = {}
): Promise<ReadonlyArray<unknown>> => {
  const children: Array<ChildProcess> = []
  try {
    const ready = contenders.map(async (words) => {
      const child = spawn(process.execPath, [program, ...words.filter((word) => word !== undefined)], {
        stdio: ["pipe", "pipe", "inherit"],
        cwd: "/",
        timeout: 60_000,
        env: { ...process.env, NODE_PATH: resolve(import.meta.dirname, "../../../../node_modules") },
        ...as
      })
      children.push(child)
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
      await nextLine(lines)
      return { child, lines }
    })
    const started = await Promise.all(ready)
    for (const { child } of started) child.stdin?.write("go\n")
    return await Promise.all(
      started.map(async ({ child, lines }) => {
        const told: unknown = JSON.parse(await nextLine(lines))
        if (child.exitCode === null) await once(child, "exit")
        return told
      })
    )
  } finally {
    for (const child of children) child.kill("SIGKILL")
  }
}
