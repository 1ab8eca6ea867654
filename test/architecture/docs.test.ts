/** The pages of reference say what the schemas say: every field, and nothing that is not there. */
import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { BudgetsView } from "../../src/cli/commands/budgets/budget.ts"
import { GroupsView } from "../../src/cli/commands/gates/group.ts"
import { HookView } from "../../src/cli/commands/hooks/hooks.ts"
import { CancelDocument } from "../../src/cli/commands/tasks/cancel.ts"
import { WaitResult } from "../../src/cli/commands/tasks/wait.ts"
import { JsonError } from "../../src/cli/framework/Json.ts"
import { BatchDocument } from "../../src/cli/output/Batched.ts"
import { Contest } from "../../src/domain/contest/Contest.ts"
import { Notice, Reset } from "../../src/domain/events/Notice.ts"
import { Delivery } from "../../src/domain/hooks/Delivery.ts"
import { Question } from "../../src/domain/questions/Question.ts"
import { AgentSettings, SettingsFile, withDefaults } from "../../src/domain/settings/Settings.ts"
import { Task } from "../../src/domain/task/Task.ts"
import { UsageView } from "../../src/domain/usage/UsageReport.ts"
import { BudgetView } from "../../src/programs/budgets/BudgetView.ts"
import { Inbox } from "../../src/programs/questions/inbox.ts"
import { Overview } from "../../src/programs/reports/overview.ts"
import { TaskPage } from "../../src/programs/reports/taskPage.ts"
import { TaskReport } from "../../src/programs/reports/taskReport.ts"
import { TaskResult } from "../../src/programs/reports/taskResult.ts"
import { Why } from "../../src/programs/why/WhyAnswer.ts"

const docs = new URL("../../docs/", import.meta.url)
const page = (name: string): string => readFileSync(new URL(name, docs), "utf8")

/** The first cells of the rows of each table, without the backticks; the title of the table is left out. */
const tables = (text: string): ReadonlyArray<ReadonlyArray<ReadonlyArray<string>>> =>
  text.split(/\n\n/).flatMap((block) => {
    const rows = block.split("\n").filter((line) => line.startsWith("| "))
    return rows.length < 3
      ? []
      : [rows.slice(2).map((row) => row.split(" | ").map((cell) => cell.replace(/^\| | \|$|`/g, "")))]
  })

describe("where to look, in docs/architecture.md", () => {
  const section = page("architecture.md").split("\n## Where to look\n")[1] ?? ""
  const source = (path: string) => readFileSync(new URL(`../src/${path}`, docs), "utf8")

  it("names files that exist, and functions that are in them", () => {
    const routes = Array.from(section.matchAll(/`([\w/]+\.ts)`(?: \(`(\w+)`\))?/g))
    assert.isAbove(routes.length, 15)
    for (const [, path = "", name] of routes) {
      const text = source(path)
      if (name !== undefined) assert.match(text, new RegExp(`^(export )?const ${name} =`, "m"), path)
    }
  })

  it("is answered by two files for each question", () => {
    const rows = tables(section).flat()
    assert.isAbove(rows.length, 3)
    for (const [question = "", open = ""] of rows) {
      assert.strictEqual(Array.from(open.matchAll(/[\w/]+\.ts/g)).length, 2, question)
    }
  })

  it("shows the life of a task in one file, in the order of its steps", () => {
    const text = source("programs/worker/TaskLife.ts")
    const steps = ["claimTask", "start", "capture", "stop", "judge", "record", "release", "supervise"]
    const at = steps.map((name) => text.search(new RegExp(`^(export )?const ${name} = `, "m")))
    assert.notInclude(at, -1)
    assert.deepStrictEqual(
      at,
      at.toSorted((left, right) => left - right)
    )
    // What its comments name is there too.
    const named = Array.from(text.matchAll(/^(?:\/\*\*| \*).*/gm)).flatMap(([line]) =>
      Array.from(line.matchAll(/[\w/]+\.ts\b/g), ([path]) => path)
    )
    assert.isAbove(named.length, 8)
    for (const path of named)
      source(path.includes("/") ? path.replace(/^limits/, "programs/limits") : `programs/worker/${path}`)
  })
})

describe("docs/settings.md", () => {
  const [settings = [], agent = []] = tables(page("settings.md"))

  it("has every setting, and no other", () => {
    assert.sameMembers(
      settings.map(([name = ""]) => name),
      Object.keys(SettingsFile.fields)
    )
    assert.sameMembers(
      agent.map(([name = ""]) => name),
      Object.keys(AgentSettings.fields)
    )
  })

  it("has the defaults", () => {
    const defaults = new Map(Object.entries(withDefaults({}, 4)))
    for (const [name = "", written = ""] of settings) {
      if (name === "defaultAgent" || name === "maxConcurrency") continue
      const value = defaults.get(name) ?? 0
      assert.strictEqual(written, typeof value === "string" ? value : JSON.stringify(value), name)
    }
  })
})

/** What stands between backticks. */
const namesIn = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/`([\w-]+)`/g), ([, name = ""]) => name)

describe("docs/json.md", () => {
  const shapes = {
    Task: Task.fields,
    TaskReport: TaskReport.fields,
    TaskPage: TaskPage.fields,
    TaskResult: TaskResult.fields,
    Overview: Overview.fields,
    GroupsView: GroupsView.fields,
    Question: Question.fields,
    Inbox: Inbox.fields,
    BudgetsView: BudgetsView.fields,
    BudgetView: BudgetView.fields,
    Notice: Notice.fields,
    Reset: Reset.fields,
    HookView: HookView.fields,
    Delivery: Delivery.fields,
    WaitResult: WaitResult.fields,
    CancelResult: CancelDocument.fields,
    Contest: Contest.fields,
    UsageView: UsageView.fields,
    BatchDocument: BatchDocument.fields,
    JsonError: JsonError.fields
  }

  it("has the fields of each shape", () => {
    const written = new Map(
      page("json.md")
        .split("\n## ")
        .slice(1)
        .map((section) => [section.split("\n")[0], section] as const)
    )
    for (const [name, fields] of Object.entries(shapes)) {
      const section = written.get(name) ?? ""
      const found = Array.from(section.matchAll(/^- `(\w+)`/gm), ([, field]) => field)
      const inherited = name === "TaskReport" ? Object.keys(Task.fields) : []
      assert.sameMembers([...found, ...inherited], Object.keys(fields), name)
    }
  })
})

describe("the table of reasons in docs/json.md", () => {
  it("has each reason of beat why with its fields", () => {
    const section = page("json.md").split("\n## Why\n")[1]?.split("\n## ")[0] ?? ""
    const rows = Array.from(section.matchAll(/^\| (`[a-z].*?) \| (.*) \|$/gm))
    const written = rows
      .filter(([, reasons]) => reasons !== "`reason`")
      .map(([, reasons = "", fields = ""]) => [namesIn(reasons), namesIn(fields.replace(/\([^)]*\)/g, ""))])
    const expected = Why.members.map(({ fields }) => {
      const { reason, status: _status, taskId: _taskId, ...others } = fields
      return [[...reason.literals], Object.keys(others)]
    })
    assert.sameDeepMembers(written, expected)
  })
})

describe("docs/README.md", () => {
  it("names every page", () => {
    const index = page("README.md")
    for (const name of readdirSync(docs).filter((file) => file.endsWith(".md") && file !== "README.md")) {
      assert.include(index, `(${name})`)
    }
  })
})
