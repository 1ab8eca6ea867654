/** The page in a real browser: what happens is shown while it happens, long output stays quick, and no text becomes markup. */
import { spawnSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core"
import { afterAll, afterEach, assert, beforeAll, describe, it } from "vitest"
import { Beat, binary, type RunningBeat, until } from "../system/Beat.ts"

const found = spawnSync("/bin/sh", ["-c", "command -v chromium"], { encoding: "utf8" })
const executablePath = found.stdout.trim()

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

const manyLines = 200_000

describe.skipIf(found.status !== 0)("the page in Chromium", () => {
  const beat = new Beat()
  let browser: Browser
  let server: RunningBeat
  let context: BrowserContext
  let problems: Array<string> = []

  const serve = async (args: ReadonlyArray<string>): Promise<string> => {
    server = beat.start(["web", ...args])
    await until("the page is served", () => server.stdout().endsWith("\n"))
    return server.stdout().trim()
  }

  /** A tab whose scripts, requests and policy may not fail. */
  const open = async (url: string, look: { readonly width?: number; readonly dark?: boolean } = {}): Promise<Page> => {
    context = await browser.newContext({
      colorScheme: look.dark === true ? "dark" : "light",
      viewport: { width: look.width ?? 1280, height: 800 }
    })
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    page.on("pageerror", ({ message }) => problems.push(message))
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text())
    })
    await page.goto(url)
    await page.getByRole("heading", { level: 1 }).waitFor()
    return page
  }

  const go = async (page: Page, hash: string) => {
    await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
  }

  /** What axe finds wrong, and whether the page is wider than its window. */
  const wrongIn = async (page: Page): Promise<ReadonlyArray<string>> => {
    await page.evaluate(axe)
    const violations = await page.evaluate<ReadonlyArray<string>>(
      "axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))"
    )
    const wide = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth")
    return wide > 0 ? [...violations, `wider than the window by ${wide}`] : violations
  }

  let url = ""
  let long = ""
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--enable-precise-memory-info"] })
    url = await serve(["--port", "0"])
    long = await beat.submit(`seq 1 ${manyLines}`)
    await beat.run(["wait", long])
  })
  afterEach(async () => {
    await context?.close()
    assert.deepStrictEqual(problems, [])
    problems = []
  })
  afterAll(async () => {
    await browser?.close()
    await beat.close()
  })

  it("takes the token out of the address, and shows what happens while it happens", async () => {
    const page = await open(url)
    assert.notInclude(page.url(), "t=")
    await page.getByText("Live", { exact: true }).waitFor()
    const id = await beat.submit("echo here; while [ ! -e go ]; do sleep 0.05; done; echo there; exit 3", [
      "--label",
      "team=web"
    ])
    await page
      .getByRole("region", { name: /^Running/ })
      .getByRole("link", { name: "echo here" })
      .waitFor()
    const waiting = await beat.submit("echo after", ["--after", id])
    await page.getByText(`Waits for task ${id}`).waitFor()
    await page.getByRole("link", { name: "echo here" }).click()
    await page.getByText("here", { exact: true }).waitFor()
    spawnSync("touch", [`${beat.home}/go`])
    await page.getByText("there", { exact: true }).waitFor()
    await page.locator(".badge.failed").waitFor()
    await page.goBack()
    await page
      .getByRole("region", { name: /^Ended/ })
      .getByRole("link", { name: "echo after" })
      .waitFor()
    await page.getByLabel("Label").fill("team=web")
    await page.getByLabel("Label").press("Enter")
    await page.getByRole("link", { name: "echo after" }).waitFor({ state: "detached" })
    assert.include(page.url(), "label=team%3Dweb")
    assert.strictEqual(beat.status(waiting).status, "cancelled")
  })

  it("shows 200,000 lines: the last ones first, the first ones on demand, and few of them are drawn", async () => {
    const page = await open(url)
    await go(page, `#/task/${long}`)
    await page.getByText(String(manyLines), { exact: true }).waitFor()
    const log = page.getByRole("region", { name: "Output" })
    await log.focus()
    await page.keyboard.press("Home")
    await page.getByText("1", { exact: true }).waitFor()
    await page.getByText("200,000 lines", { exact: true }).waitFor()
    assert.isBelow(await page.evaluate<number>("document.querySelectorAll('.line').length"), 200)
    await page.keyboard.press("End")
    await page.getByText(String(manyLines), { exact: true }).waitFor()
    const heap = await page.evaluate<number>("performance.memory.usedJSHeapSize")
    assert.isBelow(heap, 80_000_000)
    await page.getByLabel("Find in the output, upwards").fill("123456")
    await page.getByRole("button", { name: "Find" }).click()
    await page.getByText("123456", { exact: true }).waitFor()
  })

  it("shows markup and escape sequences as text", async () => {
    const id = await beat.submit(
      "printf '%s\\n' '<img src=x onerror=document.title=1>' '<script>document.title=2</script>'; printf '\\033]8;;javascript:alert(1)\\033\\\\a link\\033]8;;\\033\\\\\\n'"
    )
    await beat.run(["wait", id])
    const page = await open(url)
    await go(page, `#/task/${id}`)
    await page.getByText("<img src=x onerror=document.title=1>", { exact: true }).waitFor()
    await page.getByText("<script>document.title=2</script>", { exact: true }).waitFor()
    await page.getByText("a link", { exact: true }).waitFor()
    assert.strictEqual(await page.evaluate<number>("document.querySelectorAll('main img, main script').length"), 0)
    assert.match(await page.title(), /Backbeat$/)
  })

  for (const look of [{ width: 1280 }, { width: 400, dark: true }]) {
    it(`is usable by everyone at ${look.width} pixels${look.dark === true ? ", dark" : ""}`, async () => {
      const page = await open(url, look)
      const places = [
        ["#/", /^Ended/],
        [`#/task/${long}`, /^Output/],
        [`#/task/${long}?tab=facts`, /^Facts/],
        ["#/inbox", /^No questions are open/],
        ["#/pipelines", /^No pipelines/],
        ["#/schedules", /^No schedules/],
        ["#/limits", /^No limit was seen/],
        ["#/usage", /^No run of an agent/],
        ["#/new", /^New task/]
      ] as const
      for (const [hash, name] of places) {
        await go(page, hash)
        await page.getByText(name).first().waitFor()
        assert.deepStrictEqual(await wrongIn(page), [], hash)
      }
    })
  }

  it("answers a question in the inbox, and shows a pipeline as a graph with a bar for each step", async () => {
    const page = await open(url)
    const asking = await beat.submit(
      `"${process.execPath}" "${binary}" ask 'Which database?' --option sqlite --option postgres`
    )
    await page.getByRole("link", { name: "Inbox 1" }).click()
    await page.getByText("Which database?", { exact: true }).waitFor()
    assert.deepStrictEqual(await wrongIn(page), [])
    await page.getByRole("button", { name: "postgres" }).click()
    await page.getByText("No questions are open.").waitFor()
    await beat.run(["wait", asking])
    assert.include((await beat.run(["logs", asking])).stdout, "postgres")
    const file = join(beat.home, "release.yml")
    writeFileSync(
      file,
      "name: release\nsteps:\n  - { name: one, agent: shell, prompt: 'true' }\n  - { name: two, agent: shell, prompt: 'exit 1' }\n"
    )
    await beat.run(["pipeline", "run", "-f", file])
    await go(page, "#/pipelines")
    await page.getByRole("link", { name: "release" }).click()
    const graph = page.getByRole("region", { name: "Steps and what they wait for" })
    await graph.getByRole("link", { name: /^two/ }).waitFor()
    assert.strictEqual(await graph.locator("path").count(), 1)
    assert.strictEqual(await page.locator(".run.failed").count(), 1)
    assert.deepStrictEqual(await wrongIn(page), [])
  })

  it("says so when its server was replaced by another one", async () => {
    const page = await open(url)
    await page.getByText("Live", { exact: true }).waitFor()
    server.child.kill("SIGKILL")
    await server.done
    await page.getByText("No answer, trying again").waitFor()
    await serve(["--port", new URL(url).port])
    await page.getByRole("heading", { name: "This server has ended" }).waitFor()
    // The browser itself reports the requests that nobody answered.
    problems = problems.filter((problem) => !/Failed to load resource/.test(problem))
  })
})
