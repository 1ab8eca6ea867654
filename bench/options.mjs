/** The command line of `npm run bench`. */
import { parseArgs } from "node:util"

/** What each group measures, in the order in which they run. */
export const titles = {
  start: "Cold starts",
  submit: "From submitting to running",
  drain: "Working off a queue",
  cycles: "Claim and finish over processes",
  claim: "Claims from a queue that waits for limits",
  mcp: "MCP server",
  model: "MCP server: what a model is shown, and many servers",
  output: "Output",
  memory: "Memory",
  graph: "Dependencies",
  workspace: "Workspaces of isolated tasks",
  screen: "Live screen and web server",
  others: "What people use instead",
  idle: "CPU time of processes that wait"
}

/** What each group takes on a quiet machine with two cores. A group that takes longer makes fewer rounds. */
export const seconds = {
  start: 30,
  submit: 48,
  drain: 20,
  cycles: 64,
  claim: 22,
  mcp: 30,
  model: 50,
  output: 40,
  memory: 22,
  graph: 14,
  workspace: 35,
  screen: 46,
  others: 5,
  idle: 130
}

/** The end of a whole run. */
export const limitSeconds = 590

const names = Object.keys(titles)

export const help = `Usage: npm run bench -- [options]

Measures Backbeat next to the original, \`node -e 0\` and bare scripts, in one run. Prints a table and writes bench/results.json.
A whole run takes nine minutes on two cores, and the first one two more, since it installs the original and makes the databases.
Run it while the machine has nothing else to do. A busy machine makes fewer rounds and leaves out the groups that would
not end within ten minutes; the end says which figures were not taken.

Options
  --only GROUPS   Run some groups, e.g. --only start,mcp
  --quick         Few rounds and small databases, to check that it works
  --no-original   Leave the original out
  --instructions  Count the instructions of the cold starts with valgrind instead of timing them: --only start --instructions
  -h, --help      Show this

Groups
${names.map((name) => `  ${name.padEnd(14)}  ${titles[name]}`).join("\n")}
`

/** `problem` says what is wrong with the words, or is null. */
export const readOptions = (words) => {
  const read = () => {
    const { values } = parseArgs({
      args: words,
      options: {
        only: { type: "string" },
        quick: { type: "boolean", default: false },
        "no-original": { type: "boolean", default: false },
        instructions: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false }
      }
    })
    const only = values.only === undefined ? names : values.only.split(",").map((name) => name.trim())
    const { help, instructions, quick } = values
    const unknown = only.filter((name) => !names.includes(name))
    const problem =
      unknown.length > 0
        ? `no such group: ${unknown.join(", ")}. There are: ${names.join(", ")}`
        : instructions && only.join() !== "start"
          ? "only the group start counts instructions: --only start --instructions"
          : null
    return { problem, only, quick, instructions, withOriginal: !values["no-original"], help }
  }
  try {
    return read()
  } catch (error) {
    return { problem: error.message, only: [], quick: false, instructions: false, withOriginal: true, help: false }
  }
}
