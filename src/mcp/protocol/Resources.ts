/** The addresses of tasks for clients: the task itself, its output, and its final answer. */

export interface Link {
  readonly uri: string
  readonly name: string
  readonly description: string
  readonly mimeType: string
}

export const scheme = "backbeat://task/"

export const taskLink = (id: string): Link => ({
  uri: `${scheme}${id}`,
  name: `task ${id}`,
  description: "The whole task",
  mimeType: "application/json"
})

export const outputLink = (id: string): Link => ({
  uri: `${scheme}${id}/output`,
  name: `output of ${id}`,
  description: "What the agent printed, as text",
  mimeType: "text/plain"
})

export const resultLink = (id: string): Link => ({
  uri: `${scheme}${id}/result`,
  name: `answer of ${id}`,
  description: "The agent's final answer in full",
  mimeType: "text/markdown"
})
