/** A home with real agents that talk to a fake model, and a directory in which `beat` runs: what the tests of several agents share. */
import { mkdirSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import { assert } from "vitest"
import { Beat, type Finished } from "../system/Beat.ts"
import type { FakeModel } from "./fakeModel/FakeModel.ts"
import { furnish, type Installed, type RealAgent } from "./RealAgents.ts"

export interface RunOptions {
  readonly input?: string
  /** A failpoint at which the command is killed. */
  readonly dieAt?: string
}

export abstract class AgentBench {
  readonly beat = new Beat()
  readonly shop = join(this.beat.home, "shop")
  readonly fake: FakeModel
  readonly #environment: Readonly<Record<string, string>>
  #boot: Readonly<Record<string, string>> = {}

  /** `settings` are in addition to those of the agents. */
  constructor(
    agents: ReadonlyArray<RealAgent>,
    fake: FakeModel,
    installed: ReadonlyArray<Installed>,
    settings: object = {}
  ) {
    this.fake = fake
    const { home } = this.beat
    mkdirSync(this.shop)
    mkdirSync(join(home, "state"))
    for (const agent of agents) furnish(agent, home, fake)
    const ofAgents = agents.map((agent) => [agent.name, { ...agent.settings(fake), model: agent.model }])
    const config = JSON.stringify({ ...settings, agents: Object.fromEntries(ofAgents) })
    writeFileSync(join(home, "state", "config.json"), config, { mode: 0o600 })
    const node = join(process.execPath, "..")
    this.#environment = {
      PATH: [...installed.map(({ path }) => path), node, "/usr/local/bin", "/usr/bin", "/bin"].join(delimiter),
      TMPDIR: join(home, "tmp"),
      ...Object.fromEntries(agents.flatMap((agent) => Object.entries(agent.environment?.(home) ?? {})))
    }
  }

  run(args: ReadonlyArray<string>, { dieAt, input }: RunOptions = {}): Promise<Finished> {
    const failpoints = dieAt === undefined ? {} : { BACKBEAT_FAILPOINTS: `${dieAt}:kill` }
    const env = { ...this.#environment, ...this.#boot, ...failpoints }
    return this.beat.run(args, { cwd: this.shop, env, ...(input === undefined ? {} : { input }) })
  }

  /** Runs a command that has to succeed; what it printed. */
  async ok(args: ReadonlyArray<string>, input?: string): Promise<string> {
    const { code, stderr, stdout } = await this.run(args, input === undefined ? {} : { input })
    assert.strictEqual(code, 0, `beat ${args.join(" ")}: ${stdout}${stderr}`)
    return stdout.trim()
  }

  /** Kills every process; what is started from now on sees another boot of the machine. */
  async restart(): Promise<void> {
    await this.beat.switchOff()
    this.#boot = { BACKBEAT_BOOT_ID: "another-boot" }
  }
}
