/** Which notices a hook is told of, when it is quiet, and what follows from an attempt. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import { afterTry, type Outcome, patienceMs } from "../../../src/domain/hooks/Delivery.ts"
import { type HookSettings, hookOf } from "../../../src/domain/hooks/Hook.ts"
import { type HookNotice, messageOf, needsYou, textOf } from "../../../src/domain/hooks/HookMessage.ts"
import { quietUntil } from "../../../src/domain/hooks/quietUntil.ts"
import { encodeSummary } from "../../../src/domain/hooks/Summary.ts"
import { selects } from "../../../src/domain/hooks/selects.ts"
import { decodeSettings } from "../../../src/domain/settings/SettingsProblem.ts"
import { TaskId } from "../../../src/domain/task/Task.ts"

const ended = (status: string, more: Partial<HookNotice> = {}): HookNotice => ({
  seq: 1,
  kind: "ended",
  at: 0,
  taskId: TaskId.make("k3v9x2m7q4ab"),
  pipelineId: null,
  subject: null,
  data: { status, cause: "exit", exitCode: 3 },
  agent: "claude",
  title: "fix it",
  labels: { repo: "api" },
  directory: "/home/me/api/src",
  depth: 0,
  evaluates: false,
  ...more
})

const about = (kind: HookNotice["kind"], data: HookNotice["data"] = {}): HookNotice =>
  ended("", { kind, data, taskId: null, agent: null, title: null, labels: null, directory: null, depth: null })

const told = (settings: HookSettings, notice: HookNotice) =>
  selects(hookOf("one", { desktop: true, ...settings }), notice)

describe("a hook", () => {
  it("gets a failed evaluation by its word, and no field of ours with it", () => {
    const notice = ended("failed", { evaluates: true })
    assert.isTrue(told({ on: ["failed"] }, notice))
    assert.notProperty(messageOf("msg_1", "one", notice), "evaluates")
  })

  it("gets what needs a person, where it says nothing else", () => {
    assert.isTrue(told({}, ended("failed")))
    assert.isTrue(told({}, about("limit", { agent: "claude" })))
    assert.isTrue(told({}, about("schedule-missed")))
    assert.isTrue(told({}, about("merge-ended", { status: "conflict" })))
    assert.isTrue(told({}, about("loop-ended", { status: "exhausted" })))
    for (const notice of [
      ended("completed"),
      // A person did that.
      ended("cancelled"),
      ended("failed", { kind: "retried" }),
      // The loop continues.
      ended("failed", { evaluates: true }),
      about("merge-ended", { status: "merged" }),
      about("started")
    ]) {
      assert.isFalse(told({}, notice), `${notice.kind} ${notice.data.status}`)
      assert.isFalse(needsYou(notice))
    }
  })

  it("gets its words alone, and nothing while it is off", () => {
    assert.isTrue(told({ on: ["ended"] }, ended("completed")))
    assert.isTrue(told({ on: ["completed", "limit"] }, ended("completed")))
    assert.isFalse(told({ on: ["completed"] }, ended("failed")))
    assert.isFalse(told({ on: ["ended"], enabled: false }, ended("completed")))
  })

  it("gets what passes every part of its filter", () => {
    const on: HookSettings = { on: ["ended", "limit"] }
    const passes = (where: HookSettings["where"], notice = ended("failed")) => told({ ...on, where }, notice)
    assert.isTrue(passes({ agent: ["codex", "claude"], labels: { repo: "api" }, status: ["failed"] }))
    assert.isFalse(passes({ agent: ["codex"], labels: { repo: "api" } }))
    assert.isFalse(passes({ labels: { repo: "api", team: "web" } }))
    assert.isFalse(passes({ status: ["completed"] }))
    assert.isTrue(passes({ agent: ["claude"] }, about("limit", { agent: "claude" })))
    assert.isFalse(passes({ labels: { repo: "api" } }, about("limit", { agent: "claude" })))
    for (const [directory, expected] of [
      ["/home/me/api", true],
      ["/home/me/api/", true],
      ["/home/me/api/src", true],
      ["/", true],
      ["/home/me/ap", false],
      ["/home/me/api/src/deep", false]
    ] as const) {
      assert.strictEqual(passes({ directory: [directory] }), expected, directory)
    }
  })

  it("has one line that begins with what happened", () => {
    assert.strictEqual(textOf(ended("failed")), "failed (exit 3): fix it [k3v9x2m7q4ab]")
    assert.strictEqual(
      textOf(ended("completed", { data: { status: "completed", cause: "exit", exitCode: 0 } })),
      "completed: fix it [k3v9x2m7q4ab]"
    )
    assert.strictEqual(textOf(about("limit", { agent: "claude" })), "usage limit of claude met")
    assert.strictEqual(textOf(ended("failed", { title: "a\nb" })), "failed (exit 3): a b [k3v9x2m7q4ab]")
  })

  it("has exactly one target, and words that there are", () => {
    const problemOf = (hook: unknown) =>
      Either.match(decodeSettings("config.json", { hooks: { one: hook } }), {
        onLeft: ({ problem }) => problem,
        onRight: () => null
      })
    assert.isNull(problemOf({ run: ["true"] }))
    assert.isNull(problemOf({ url: "https://ci.example/x", secret: `whsec_${"A".repeat(32)}`, on: ["failed"] }))
    assert.match(problemOf({ on: ["failed"] }) ?? "", /exactly one of run, url/)
    assert.match(problemOf({ run: ["true"], url: "https://ci.example" }) ?? "", /not run and url/)
    assert.match(problemOf({ run: ["true"], on: ["nonsense"] }) ?? "", /hooks\.one\.on\[0\]: expected one of needs-you/)
    assert.match(problemOf({ url: "ftp://ci.example" }) ?? "", /http:\/\/ or https:\/\//)
    assert.match(problemOf({ run: ["true"], quiet: "22-7" }) ?? "", /22:00-07:00/)
    assert.match(problemOf({ run: ["true"], secret: `whsec_${"A".repeat(32)}` }) ?? "", /next to 'url'/)
    assert.isNull(problemOf({ otlp: "http://127.0.0.1:4318", headers: { "x-key": "abc" }, on: ["failed"] }))
    assert.isNull(problemOf({ url: "https://ci.example", headers: { Authorization: "Bearer abc" } }))
    assert.match(problemOf({ otlp: "http://127.0.0.1:4318", on: ["limit"] }) ?? "", /next to .otlp., not limit/)
    assert.match(problemOf({ run: ["true"], headers: { a: "b" } }) ?? "", /next to 'url' or 'otlp'/)
    for (const headers of [{ host: "b" }, { "a b": "c" }, { a: "hunter2\r\nb: c" }, { "": "c" }, { a: "" }]) {
      const problem = problemOf({ otlp: "http://127.0.0.1:4318", headers })
      assert.match(problem ?? "", /names of HTTP headers/, JSON.stringify(headers))
      assert.notInclude(problem ?? "", "hunter2")
    }
    assert.match(problemOf({ run: ["true"], sums: 3 }) ?? "", /Did you mean 'hooks\.one\.sumMs'/)
    const secret = problemOf({ url: "https://ci.example", secret: "hunter2" })
    assert.match(secret ?? "", /whsec_/)
    assert.notInclude(secret ?? "", "hunter2")
  })
})

describe("quiet hours", () => {
  const zone = DateTime.zoneUnsafeMakeNamed("Europe/Berlin")
  const at = (text: string) => Date.parse(text)

  it("hold until their end, over midnight too", () => {
    assert.strictEqual(
      quietUntil("22:00-07:00", at("2027-03-01T23:30:00+01:00"), zone),
      at("2027-03-02T07:00:00+01:00")
    )
    assert.strictEqual(
      quietUntil("22:00-07:00", at("2027-03-02T06:59:00+01:00"), zone),
      at("2027-03-02T07:00:00+01:00")
    )
    assert.isNull(quietUntil("22:00-07:00", at("2027-03-02T07:00:00+01:00"), zone))
    assert.strictEqual(
      quietUntil("12:00-13:00", at("2027-03-02T12:00:00+01:00"), zone),
      at("2027-03-02T13:00:00+01:00")
    )
    assert.isNull(quietUntil(undefined, 0, zone))
    // The night in which the clock skips an hour.
    assert.strictEqual(
      quietUntil("22:00-07:00", at("2027-03-28T00:30:00+01:00"), zone),
      at("2027-03-28T07:00:00+02:00")
    )
  })
})

describe("after an attempt", () => {
  const failed = (more: Partial<Extract<Outcome, { _tag: "Failed" }>> = {}): Outcome => ({
    _tag: "Failed",
    detail: "503",
    pauseMs: null,
    tries: null,
    ...more
  })
  const tried = { attempts: 1, firstAt: 0, now: 1000, retryMs: 5000, random: 0 }

  it("the pause doubles up to an hour, and a day is the end", () => {
    const pauses = [1, 2, 3, 4, 11, 40].map((attempts) => {
      const after = afterTry(failed(), { ...tried, attempts })
      return after.state === "due" ? after.nextAt - 1000 : null
    })
    assert.deepStrictEqual(pauses, [5000, 10_000, 20_000, 40_000, 3_600_000, 3_600_000])
    assert.strictEqual(afterTry(failed(), { ...tried, now: patienceMs }).state, "dead")
    assert.deepStrictEqual(afterTry(failed(), { ...tried, random: 1 }), { state: "due", nextAt: 7250, last: "503" })
  })

  it("a receiver's wish is kept, a refusal is final, and so is the last attempt of a command", () => {
    assert.deepStrictEqual(afterTry(failed({ pauseMs: 7000 }), tried), { state: "due", nextAt: 8000, last: "503" })
    assert.strictEqual(afterTry({ _tag: "Refused", detail: "410" }, tried).state, "dead")
    assert.strictEqual(afterTry({ _tag: "Accepted", detail: "200" }, tried).state, "done")
    assert.strictEqual(afterTry(failed({ tries: 3 }), { ...tried, attempts: 2 }).state, "due")
    assert.strictEqual(afterTry(failed({ tries: 3 }), { ...tried, attempts: 3 }).state, "dead")
  })
})

describe("a summary", () => {
  it("is as deep as the deepest of all its tasks: what a command submits for it is bounded as well", () => {
    const at = (depth: number | null) => messageOf("msg_1", "team", { ...ended("completed"), depth })
    const depthOf = (depths: ReadonlyArray<number | null>) =>
      JSON.parse(encodeSummary({ id: "msg_0", hook: "team" }, depths.map(at), 5)).depth
    assert.strictEqual(depthOf([1, ...Array.from({ length: 60 }, () => 0), 3]), 3)
    assert.strictEqual(depthOf([0, null]), 0)
    assert.isNull(depthOf([null]))
  })

  it("counts all and names the first 50", () => {
    const messages = Array.from({ length: 100 }, (_, at) =>
      messageOf(`msg_${at}`, "team", ended(at % 10 === 0 ? "failed" : "completed", { seq: at }))
    )
    const summary = JSON.parse(encodeSummary({ id: "msg_0", hook: "team" }, messages, 5))
    assert.deepStrictEqual(
      [summary.kind, summary.count, summary.text, summary.needsYou, summary.messages.length],
      ["summary", 100, "10 failed, 90 completed", true, 50]
    )
  })
})
