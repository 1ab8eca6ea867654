/** Which task the processes above tell, whatever an agent makes of the variables on the way. */
import { assert, describe, it } from "@effect/vitest"
import { marksFrom, type ProcessAbove } from "../../../../src/layers/node/process/TaskMarks.ts"
import { shimArguments } from "../../../../src/layers/node/spool/Shim.ts"

const lead = "k3v9x2m7q4ab"
const child = "x2m7q4abk3v9"
const fake = "zzzzzzzzzzzz"

const block = (words: ReadonlyArray<string>) => words.map((word) => `${word}\0`).join("")

const one = (variables: Readonly<Record<string, string>>, command: ReadonlyArray<string> = ["bash"]): ProcessAbove => ({
  environ: block(Object.entries({ PATH: "/bin", ...variables }).map(([name, value]) => `${name}=${value}`)),
  command: () => block(command)
})

const marks = (id: string, depth = "0") => ({ BACKBEAT_TASK_ID: id, BACKBEAT_DEPTH: depth })

const words = shimArguments({
  spool: "/spool/1",
  bootId: "boot",
  directory: "/srv",
  input: "/dev/null",
  toolPath: "/bin",
  umask: undefined,
  aside: 0,
  worker: ["env", "-i", "beat", "worker", "--on-demand", "--detach"],
  agent: ["/bin/sh", "-c", "true"]
})
const shim = (id: string, depth?: string, shell: ReadonlyArray<string> = ["/bin/sh"]) =>
  one(marks(id, depth), [...shell, ...words])
const worker = one({ BACKBEAT_WORKER: "1" }, ["node", "beat.cjs", "worker", "--on-demand"])
const server = one(marks(lead), ["node", "beat.cjs", "mcp", "start"])
const terminal = one({})

const cases: ReadonlyArray<readonly [string, ReadonlyArray<ProcessAbove>, object | null]> = [
  ["a terminal", [terminal, terminal], null],
  ["an agent", [one(marks(lead)), shim(lead), worker], marks(lead)],
  ["a blank variable", [one({ BACKBEAT_TASK_ID: "" }), shim(lead)], marks(lead)],
  ["a malformed variable", [one(marks("no task")), shim(lead)], marks(lead)],
  ["a variable that is not there", [one({}), one({}), shim(lead)], marks(lead)],
  ["the id of another task, and a smaller depth", [one(marks(fake, "-9")), shim(lead, "3")], marks(lead, "3")],
  ["the mark of a worker", [one({ BACKBEAT_WORKER: "1" }), shim(lead)], marks(lead)],
  ["the mark of a worker on a shell", [one({ BACKBEAT_WORKER: "1" }, ["sh", "-c", "worker"]), shim(lead)], marks(lead)],
  ["a process that cannot be read", [{ environ: null, command: () => null }, shim(lead)], marks(lead)],
  ["a task that the server of another one runs", [shim(child, "1"), server, shim(lead)], marks(child, "1")],
  ["a shim of bash", [one(marks(fake)), shim(lead, "0", ["/bin/bash", "--posix"])], marks(lead)],
  ["a task whose shim is gone", [one(marks(fake)), one(marks(lead)), terminal], marks(lead)],
  ["a hook of a worker that an agent has started", [one({}), worker, one(marks(lead)), shim(lead)], null],
  ["a blank variable at the top", [one({ BACKBEAT_TASK_ID: "" }), terminal], null]
]

describe("marksFrom", () => {
  for (const [what, above, expected] of cases) {
    it(`reads ${what}`, () => assert.deepStrictEqual(marksFrom(above), expected))
  }
})
