/** What the submitter should know of an agent that cannot do what was asked for. */
import { InvalidInput } from "../../../domain/Errors.ts"
import type { Agent } from "../../../domain/task/Agent.ts"

export const untaken = ({ name, resumes }: Agent): string =>
  resumes
    ? `${name} takes no messages while it runs: what is sent becomes the next turn of its session.`
    : `${name} takes no messages: its prompt comes on stdin.`

export const unasked = (agent: string) =>
  new InvalidInput({
    field: "--approve",
    problem: `${agent} cannot ask for permissions, and would use every tool without them`,
    example: "-a claude"
  })

export const asksOtherwise = (agent: string): string =>
  `${agent} asks with the MCP tool AskPerson or 'beat ask'. Say in the prompt that it may.`

export const withoutServer = (name: string): string =>
  `${name} takes no MCP server on its command line: to let it delegate, add Backbeat to its settings once: beat mcp install ${name}`
