/** A screen of the live view with everything on it that it can show, for tests and for the pictures in the docs. */

import { initial, type TopState } from "../../../src/cli/top/TopState.ts"
import { update } from "../../../src/cli/top/update.ts"
import { AccountKey } from "../../../src/domain/limits/Account.ts"
import { unstarted } from "../../../src/domain/task/Arrival.ts"
import { TaskId, type TaskSummary } from "../../../src/domain/task/Task.ts"
import type { TopRow, TopView } from "../../../src/programs/top/Look.ts"

/** Local time, so that clocks on the screen are the same in every zone. */
export const now = new Date(2027, 2, 1, 14, 2, 0).getTime()
const minute = 60_000

let seq = 0

export const summary = (fields: Partial<TaskSummary> & { readonly id: TaskId }): TaskSummary => {
  seq += 1
  return {
    ...unstarted,
    seq,
    title: "npm test",
    status: "running",
    priority: "P1",
    agent: "claude",
    model: null,
    account: null,
    directory: "/home/ann/my-project",
    timeoutMs: null,
    stallMs: null,
    maxOutputBytes: 10_000_000,
    notBefore: null,
    depth: 0,
    parentId: null,
    attempt: 1,
    retryOf: null,
    rootId: null,
    continuation: null,
    maxRetries: 0,
    backoffMs: 0,
    group: null,
    onLimit: "park",
    giveUpMs: 0,
    fallback: [],
    spare: false,
    workspaceId: null,
    idempotencyKey: null,
    labels: {},
    createdAt: now - 12 * minute,
    startedAt: now - 12 * minute,
    sessionId: null,
    ...fields
  }
}

export const row = (fields: Partial<TaskSummary> & { readonly id: TaskId }, more: Partial<TopRow> = {}): TopRow => ({
  task: summary(fields),
  starting: false,
  neglect: null,
  wait: null,
  ...more
})

export const id = (text: string): TaskId => TaskId.make(text)

export const selected = id("x2m7q4abk3v9")

export const view = (): TopView => ({
  counts: { running: 3, queued: 3, completed: 14, failed: 2, cancelled: 1 },
  running: [
    row({ id: selected, title: "fix the failing test", model: "sonnet" }),
    row({
      id: id("p4t8m2kx7d9w"),
      agent: "codex",
      title: "review 변경 사항 on this branch 🚀🚀",
      startedAt: now - 2 * minute
    }),
    row({ id: id("7w2d9m4xkq5t"), agent: "shell", title: "npm test", startedAt: now - 8000 })
  ],
  queued: [
    row(
      {
        id: id("9d2kx7w4m8pt"),
        status: "queued",
        startedAt: null,
        createdAt: now - minute,
        title: "migrate the store"
      },
      { wait: { kind: "limit", window: "five_hour", opensAt: now + 28 * minute } }
    ),
    row(
      {
        id: id("q5t7w2d9m4xk"),
        status: "queued",
        startedAt: null,
        createdAt: now - 3 * minute,
        title: "merge",
        waitingOn: 2
      },
      { wait: { kind: "tasks", first: selected, count: 2 } }
    ),
    row({
      id: id("h8t3m5xkq2wd"),
      status: "queued",
      startedAt: null,
      createdAt: now - 3000,
      title: "更新文档 for the release"
    })
  ],
  ended: [
    row({
      id: id("m4xkq5t7w2d9"),
      status: "failed",
      cause: "agent-error",
      failureClass: "usage-limit",
      failureResetAt: now + 28 * minute,
      startedAt: now - 40 * minute,
      endedAt: now - 9 * minute,
      sessionId: "s",
      title: "port the adapter"
    }),
    row({
      id: id("b35rmgm95kd4"),
      status: "completed",
      cause: "exit",
      exitCode: 0,
      startedAt: now - 60 * minute,
      endedAt: now - 16 * minute,
      title: "rename the port",
      usage: {
        inputTokens: 1,
        outputTokens: 1,
        cacheReadTokens: 0,
        cacheWriteTokens: 0,
        costUsd: 0.41,
        cumulative: false
      }
    }),
    row({
      id: id("c7v9x2m7q4ab"),
      status: "cancelled",
      cause: "dependency-failed",
      startedAt: null,
      endedAt: now - 9 * minute,
      title: "publish"
    })
  ],
  more: false,
  gates: [],
  limits: [
    {
      account: AccountKey.make("anthropic/login/a4tz9kq2mv"),
      agent: "claude",
      joinedTo: null,
      opensAt: now + 28 * minute,
      window: "five_hour",
      places: null,
      running: 0,
      waiting: 1,
      next: null,
      spare: null,
      windows: []
    }
  ],
  costToday: 4.12,
  workers: 1,
  at: now
})

export const printed = [
  "Bash npm test -- settings",
  "Read test/settings.test.ts",
  "The test expects an absolute path. I will resolve it in the port instead of in the layer, since the layer is also used by doctor.",
  "Edit src/services/SettingsStore.ts",
  "Bash npm test -- settings"
]

/** The sample at a size, with the output of the selected task. */
export const sample = (columns: number, rows: number, more: Partial<TopState> = {}): TopState => {
  const start = initial({ columns, rows, ascii: false, keyboard: true })
  const looked = update(start, { kind: "view", view: view() }).state
  const text = { lines: printed, first: 0, cut: false, at: now - 2000 }
  return { ...update(looked, { kind: "output", taskId: selected, text }).state, ...more }
}
