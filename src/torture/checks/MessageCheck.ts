/** Compares what agents heard with what they were recorded: each message once, in order, or its row says why not. */
import { messageIdOf, wordOf } from "../load/Messages.ts"
import type { TaskPlan } from "../load/TaskPlan.ts"

export const messageInvariant = "a message reaches its agent once"

export interface MessageRow {
  readonly id: string
  readonly seq: number
  readonly state: string
}

/** What can have come between the write of a message and its note, without which nothing shows that it was written. */
export interface Between {
  /** The task was taken over from a worker that was killed. */
  readonly takenOver: boolean
  /** A fault has ended its agent or its shim. */
  readonly hurt: boolean
}

interface RecordedMessage {
  readonly seq: number
  readonly state: string
  readonly word: string
}

/**
 * The one message that was heard and may be `dropped` all the same: its worker was killed, or no process read the input any
 * more, before it was noted as written. Then it is the last one that was heard, and nothing after it was written.
 */
const droppedProblems = (
  recorded: ReadonlyArray<RecordedMessage>,
  heard: ReadonlyArray<string>,
  { hurt, takenOver }: Between
) =>
  recorded
    .filter(({ state, word }) => state === "dropped" && heard.includes(word))
    .flatMap(({ seq, word }) => {
      const isLast = heard.at(-1) === word && !recorded.some((one) => one.seq > seq && one.state === "written")
      // Its agent leaves when it hears the last word.
      const isExplained = takenOver || hurt || word === "close"
      return isLast && isExplained ? [] : [`'${word}' was heard, and is on record as dropped`]
    })

/**
 * `heard` are the words that the agent noted, in order. One that was written and not heard says nothing where the shim was
 * killed, which ends the agent's stdin: only an agent that heard the last word has read all of it.
 */
export const messageProblems = (
  plan: TaskPlan,
  task: string,
  rows: ReadonlyArray<MessageRow>,
  heard: ReadonlyArray<string>,
  between: Between
): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const known = new Map(plan.messages.map((_, index) => [messageIdOf(task, index), wordOf(plan, index)]))
  const recorded = rows.map(({ id, seq, state }) => ({ seq, state, word: known.get(id) ?? id }))
  const closing = heard.includes("close") ? recorded.find(({ word }) => word === "close") : undefined
  for (const { seq, state, word } of recorded) {
    const times = heard.filter((one) => one === word).length
    if (times > 1) problems.push(`'${word}' was heard ${times} times`)
    if (times === 0 && state === "written" && closing !== undefined && seq < closing.seq) {
      problems.push(`'${word}' is ${state}, and was not heard`)
    }
  }
  for (const word of heard) {
    if (!recorded.some((one) => one.word === word)) problems.push(`'${word}' was heard, and is not stored`)
  }
  problems.push(...droppedProblems(recorded, heard, between))
  const order = recorded.filter(({ word }) => heard.includes(word)).sort((one, other) => one.seq - other.seq)
  if (order.map(({ word }) => word).join() !== Array.from(new Set(heard)).join()) {
    problems.push(`heard in another order than sent: ${heard.join(", ")}`)
  }
  return problems
}
