/** When a failed task is tried again: by cause, class and exit code, later and later, and not for ever. */
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { type Outcome, outcome } from "../../../src/domain/task/Outcome.ts"
import { breaker, decideRetry, maxBackoffMs } from "../../../src/domain/task/RetryPolicy.ts"

const now = 1_000_000_000
const failure = outcome({ status: "failed", cause: "exit", exitCode: 1, failureClass: "unknown", error: "it broke" })

const decide = (
  ending: Outcome,
  more: {
    readonly maxRetries?: number
    readonly backoffMs?: number
    readonly jitter?: number
    readonly finalExitCode?: boolean
    readonly before?: ReadonlyArray<{ readonly ago: number; readonly outcome: Outcome }>
  } = {}
) =>
  decideRetry({
    task: { maxRetries: more.maxRetries ?? 3, backoffMs: more.backoffMs ?? 30_000 },
    outcome: ending,
    finalExitCode: more.finalExitCode ?? false,
    before: (more.before ?? []).map(({ ago, outcome }) => ({ ...outcome, endedAt: now - ago })),
    now,
    jitter: more.jitter ?? 0.5
  })

describe("an automatic retry", () => {
  it("comes after the pause, which doubles, with one try less", () => {
    assert.deepStrictEqual(decide(failure), {
      _tag: "Retry",
      notBefore: now + 30_000,
      maxRetries: 2,
      backoffMs: 60_000
    })
  })

  it("comes for everything that another attempt may change", () => {
    for (const cause of ["exit", "signal", "timeout", "stalled", "agent-error", "owner-lost"] as const) {
      assert.strictEqual(decide({ ...failure, cause })._tag, "Retry", cause)
    }
    for (const failureClass of ["usage-limit", "rate", "overloaded", "network", "agent", "unknown", null] as const) {
      assert.strictEqual(decide({ ...failure, failureClass })._tag, "Retry", `${failureClass}`)
    }
  })

  it("does not come where another attempt would end the same, nor unasked", () => {
    for (const cause of ["spawn-failed", "output-limit", "dependency-failed", "cancelled", "rejected"] as const) {
      assert.strictEqual(decide({ ...failure, cause })._tag, "Final", cause)
    }
    for (const failureClass of ["auth", "model", "max-turns", "budget"] as const) {
      assert.strictEqual(decide({ ...failure, failureClass })._tag, "Final", failureClass)
    }
    assert.strictEqual(decide(failure, { finalExitCode: true })._tag, "Final")
    assert.deepStrictEqual(decide(failure, { maxRetries: 0 }), { _tag: "Final", reason: null })
    assert.deepStrictEqual(decide(outcome({ status: "completed", cause: "exit" })), { _tag: "Final", reason: null })
    assert.deepStrictEqual(decide(outcome({ status: "cancelled", cause: "cancelled" })), {
      _tag: "Final",
      reason: null
    })
  })

  it("waits for the end of a usage limit", () => {
    const limited: Outcome = { ...failure, failureClass: "usage-limit", failureResetAt: now + 3_600_000 }
    const decided = decide(limited, { jitter: 0 })
    assert.deepInclude(decided, { _tag: "Retry", notBefore: now + 3_600_000 })
    assert.deepInclude(decide(limited, { jitter: 1 }), { _tag: "Retry", notBefore: now + 3_660_000 })
    assert.deepInclude(decide({ ...limited, failureResetAt: now - 1 }), { _tag: "Retry", notBefore: now + 30_000 })
    assert.deepInclude(decide({ ...limited, failureResetAt: now }, { jitter: 1 }), { notBefore: now + 37_500 })
  })

  it("believes no usage limit that ends in a year, nor a time that is none", () => {
    const until = (failureResetAt: number) => {
      const decided = decide({ ...failure, failureClass: "usage-limit", failureResetAt }, { jitter: 0 })
      return decided._tag === "Retry" ? decided.notBefore - now : null
    }
    const month = 31 * 24 * 3_600_000
    assert.strictEqual(until(now + month), month)
    assert.strictEqual(until(now + 365 * 24 * 3_600_000), month + 3_600_000)
    assert.strictEqual(until(1e300), month + 3_600_000)
    assert.strictEqual(until(Number.NaN), 22_500)
  })

  it("ends with the third identical failure in ten minutes, but not with what passes", () => {
    const twice = [
      { ago: breaker.withinMs, outcome: failure },
      { ago: 30_000, outcome: failure }
    ]
    const stopped = decide(failure, { before: twice })
    assert.include(stopped._tag === "Final" ? stopped.reason : "", "3 times the same way")
    const longAgo = [{ ago: breaker.withinMs + 1, outcome: failure }, ...twice.slice(1)]
    assert.strictEqual(decide(failure, { before: longAgo })._tag, "Retry")
    assert.strictEqual(decide({ ...failure, error: "something else" }, { before: twice })._tag, "Retry")
    assert.strictEqual(decide({ ...failure, exitCode: 2 }, { before: twice })._tag, "Retry")
    const overloaded: Outcome = { ...failure, failureClass: "overloaded" }
    const often = twice.map(({ ago }) => ({ ago, outcome: overloaded }))
    assert.strictEqual(decide(overloaded, { before: often })._tag, "Retry")
  })

  it("stays within a quarter of its pause, whatever the numbers", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 0, max: 10 ** 9 }),
        FastCheck.double({ min: 0, max: 1, noNaN: true }),
        (backoffMs, jitter) => {
          const decided = decide(failure, { backoffMs, jitter })
          if (decided._tag !== "Retry") return false
          const pause = decided.notBefore - now
          return (
            pause >= backoffMs * 0.75 - 1 &&
            pause <= backoffMs * 1.25 + 1 &&
            decided.backoffMs >= backoffMs &&
            decided.backoffMs <= Math.max(backoffMs, maxBackoffMs)
          )
        }
      )
    )
  })
})
