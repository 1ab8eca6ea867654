/** Compares what agents heard with what they were told: each message once, in order, or its row says why not. */
import { messageIdOf, wordOf } from "../load/Messages.ts"
import type { TaskPlan } from "../load/TaskPlan.ts"

export const messageInvariant = "a message reaches its agent once"

export interface MessageRow {
  readonly id: string
  readonly seq: number
  readonly state: string
}

/**
 * `heard` are the words that the agent noted, in order. One that was written and not heard says nothing where the shim was
 * killed, which ends the agent's stdin: only an agent that heard the last word has read all of it. One that was heard may be
 * `dropped`: the worker that wrote it was killed before it could note that, and the agent had ended when the next one came.
 */
export const messageProblems = (
  plan: TaskPlan,
  task: string,
  rows: ReadonlyArray<MessageRow>,
  heard: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const problems: Array<string> = []
  const known = new Map(plan.messages.map((_, index) => [messageIdOf(task, index), wordOf(plan, index)]))
  const told = rows.map(({ id, seq, state }) => ({ seq, state, word: known.get(id) ?? id }))
  const closing = heard.includes("close") ? told.find(({ word }) => word === "close") : undefined
  for (const { seq, state, word } of told) {
    const times = heard.filter((one) => one === word).length
    if (times > 1) problems.push(`'${word}' was heard ${times} times`)
    if (times === 0 && state === "written" && closing !== undefined && seq < closing.seq) {
      problems.push(`'${word}' is ${state}, and was not heard`)
    }
  }
  for (const word of heard) {
    if (!told.some((one) => one.word === word)) problems.push(`'${word}' was heard, and is not stored`)
  }
  const order = told.filter(({ word }) => heard.includes(word)).sort((one, other) => one.seq - other.seq)
  if (order.map(({ word }) => word).join() !== Array.from(new Set(heard)).join()) {
    problems.push(`heard in another order than sent: ${heard.join(", ")}`)
  }
  return problems
}
