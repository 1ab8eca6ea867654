/** Output: byte for byte, whatever its size and content. */
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { afterAll, assert, describe, it } from "vitest"
import { Beat, until } from "./Beat.ts"

const megabyte = 1024 * 1024

/** Most memory a process ever used, in bytes. */
const peak = (pid: number): number => {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

describe.skipIf(process.platform !== "linux")("50 MB at full speed", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it("keeps the beginning and the end, records what was dropped, in bounded memory", async () => {
    const id = await beat.submit(`seq 1 100000000 | head -c ${50 * megabyte}`, ["--max-output", "4MB"])
    let most = 0
    await until("it ends", () => {
      for (const worker of beat.workers()) most = Math.max(most, peak(worker))
      return beat.status(id).status === "completed"
    })
    const [stream] = beat.rows<{ size: number; stored: number; dropped: number; dropped_at: number }>(
      "SELECT size, stored, dropped, dropped_at FROM task_streams WHERE task_id = ? AND stream = 'stdout'",
      id
    )
    assert(stream !== undefined)
    assert.strictEqual(stream.size, 50 * megabyte)
    const cap = stream.stored
    assert.include([4_000_000, 4 * megabyte], cap)
    assert.strictEqual(stream.dropped, stream.size - cap)

    let text = ""
    const parts: Array<string> = []
    for (let number = 1; text.length < 50 * megabyte; ) {
      parts.length = 0
      for (let index = 0; index < 100_000; index++) parts.push(`${number++}\n`)
      text += parts.join("")
    }
    const printed = Buffer.from(text.slice(0, 50 * megabyte), "latin1")
    const half = Math.floor(cap / 2)
    assert.strictEqual(stream.dropped_at, half)
    const stored = beat.output(id)
    assert(stored.subarray(0, half).equals(printed.subarray(0, half)), "the beginning")
    assert(stored.subarray(half).equals(printed.subarray(printed.length - (cap - half))), "the end")
    assert.isAbove(most, 0, "the worker's memory was seen")
    assert.isBelow(most, 200 * megabyte)
    process.stdout.write(`output: 50 MB, ${cap} bytes kept; worker peak ${Math.round(most / megabyte)} MB\n`)
  })
})

describe.skipIf(process.platform !== "linux")("an agent that prints without end, faster than it is stored", () => {
  const beat = new Beat({ BACKBEAT_MAX_SPOOL_BYTES: String(64 * 1024 ** 2) })
  afterAll(() => beat.close())

  it("is ended by what is in its spool", async () => {
    const id = await beat.submit("exec yes", ["--max-output", "1MB"])
    await until("it is being ended", () => beat.rows("SELECT 1 FROM claims WHERE stop_cause IS NOT NULL")[0])
    const waited = await beat.run(["wait", "--timeout", "200s", id])
    assert.strictEqual(waited.code, 1, waited.stderr)
    assert.strictEqual(beat.status(id).cause, "output-limit")
  })
})

describe("prompts and output of any content", () => {
  const beat = new Beat()
  afterAll(() => beat.close())

  it("passes a prompt of 5 MB with quotes, newlines and emoji through a file, never through argv", async () => {
    const line = `: 'quoted' "double" \\back $dollar \`tick\` 🎉 ü -- --flag\n`
    const prompt = `cat <<'END' | sha256sum\n${line.repeat(Math.ceil((5 * megabyte) / line.length))}END\n`
    const body = prompt.slice(prompt.indexOf("\n") + 1, -"END\n".length)
    const submitted = await beat.run(["run", "-a", "shell", "-"], { input: prompt })
    assert.strictEqual(submitted.code, 0, submitted.stderr)
    const id = submitted.stdout.trim()
    const waited = await beat.run(["wait", id])
    assert.strictEqual(waited.code, 0, waited.stderr)
    assert.include(beat.output(id).toString(), createHash("sha256").update(body).digest("hex"))
  })

  it("keeps bytes that are not text, and characters cut by pauses", async () => {
    const id = await beat.submit(
      `printf '\\360\\237'; sleep 0.3; printf '\\216\\211 \\377\\376\\000\\033[31m'; sleep 0.3; printf 'end'`
    )
    await beat.run(["wait", id])
    const bytes = Buffer.from([
      0xf0, 0x9f, 0x8e, 0x89, 0x20, 0xff, 0xfe, 0x00, 0x1b, 0x5b, 0x33, 0x31, 0x6d, 0x65, 0x6e, 0x64
    ])
    assert(beat.output(id).equals(bytes))
    const raw = await beat.run(["logs", "--raw", id])
    assert.include(raw.stdout, "🎉")
    const shown = await beat.run(["logs", id])
    assert.include(shown.stdout, "🎉")
    assert.notInclude(shown.stdout, "\u001b")
    assert.notInclude(shown.stdout, "\0")
  })
})
