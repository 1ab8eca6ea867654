/** The calls of tools that an agent reports in its stream, with the times at which Backbeat read them. */

/** What a line says about a call. `name` may be missing at the end of one, which its beginning has named. */
export interface CallEvent {
  /** As the agent names the call; unique within one run of it. */
  readonly id: string
  /** `whole`: the line comes when the call is over, and `startedAt` is when it began. */
  readonly phase: "begins" | "ends" | "whole"
  readonly name?: string | undefined
  /** The call that started the agent which makes this one. */
  readonly within?: string | undefined
  readonly failed?: boolean | undefined
  readonly startedAt?: number | undefined
}

/** Reads one line of stdout; keeps nothing between lines. */
export type CallReader = (line: string) => ReadonlyArray<CallEvent>

export interface ToolCall {
  readonly id: string
  readonly name: string
  readonly within: string | null
  readonly startedAt: number
  /** Null: it was not over when its agent ended. */
  readonly endedAt: number | null
  /** Null: not known. */
  readonly failed: boolean | null
}

/** Calls of one task that are exported. Each takes some 400 bytes of a message that is kept for days. */
export const mostCalls = 500

const longestName = 100

interface Calls {
  /** `at`: when the bytes of the event were captured. */
  readonly add: (event: CallEvent, at: number) => void
  /** Output is missing: whether calls that are open ended in it is not known. */
  readonly gap: (at: number) => void
  /** Another run of the agent follows, which may use the same ids again. */
  readonly nextRun: () => void
  /** In the order in which they began. */
  readonly all: () => ReadonlyArray<ToolCall>
}

/** Joins beginnings and ends. */
export const collectCalls = (): Calls => {
  const calls: Array<ToolCall> = []
  /** Where the calls that have no end yet are in the list. */
  const open = new Map<string, number>()
  const end = (id: string, endedAt: number, failed: boolean | null) => {
    const index = open.get(id)
    const call = index === undefined ? undefined : calls[index]
    open.delete(id)
    if (index !== undefined && call !== undefined) calls[index] = { ...call, endedAt, failed }
  }
  return {
    add: ({ failed, id, name, phase, startedAt, within }, at) => {
      if (phase !== "ends" && !open.has(id) && calls.length < mostCalls) {
        open.set(id, calls.length)
        calls.push({
          id,
          name: (name ?? "tool").slice(0, longestName),
          within: within ?? null,
          startedAt: Math.min(at, startedAt ?? at),
          endedAt: null,
          failed: null
        })
      }
      if (phase !== "begins") end(id, at, failed ?? null)
    },
    gap: (at) => {
      for (const id of [...open.keys()]) end(id, at, null)
    },
    nextRun: () => open.clear(),
    all: () => calls
  }
}
