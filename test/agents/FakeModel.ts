/** The fake model server: a loopback process that answers as the prompt's directives say. It is not part of this repository. */
import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { until } from "../system/Beat.ts"

const directory = process.env.FAKE_MODEL ?? resolve(import.meta.dirname, "../../../shared/tools/fake-model")
const program = join(directory, "server.js")

/** Why it cannot be used; null when it can. */
export const unavailable = existsSync(program)
  ? null
  : `no fake model server at ${program}; name its directory in FAKE_MODEL`

export class FakeModel {
  readonly #home = mkdtempSync(join(tmpdir(), "beat-fake-"))
  readonly #child: ChildProcess
  readonly key = "sk-test-backbeat-0123456789"
  url = ""

  private constructor() {
    const bodies = join(this.#home, "bodies")
    mkdirSync(bodies)
    const portFile = join(this.#home, "port")
    const args = [program, "--port", "0", "--port-file", portFile, "--bodies", bodies, "--require-key", this.key]
    this.#child = spawn(process.execPath, args, { stdio: "ignore" })
  }

  static async start(): Promise<FakeModel> {
    const fake = new FakeModel()
    const port = await until("the fake model listens", () => {
      const file = join(fake.#home, "port")
      return existsSync(file) && readFileSync(file, "utf8").trim()
    })
    fake.url = `http://127.0.0.1:${port}`
    return fake
  }

  /** Whether any request so far carried this text. */
  heard(text: string): boolean {
    const bodies = join(this.#home, "bodies")
    if (!existsSync(bodies)) return false
    return readdirSync(bodies).some((file) => readFileSync(join(bodies, file), "utf8").includes(text))
  }

  /** Whether a single request carried all of these texts. */
  heardTogether(...texts: ReadonlyArray<string>): boolean {
    const bodies = join(this.#home, "bodies")
    return readdirSync(bodies).some((file) => {
      const body = readFileSync(join(bodies, file), "utf8")
      return texts.every((text) => body.includes(text))
    })
  }

  close(): void {
    this.#child.kill("SIGKILL")
    rmSync(this.#home, { recursive: true, force: true })
  }
}
