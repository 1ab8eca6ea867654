/** The names of the figures that each group takes, so that those it has not taken can be named. The report refuses any other name. */
import { titles } from "./options.mjs"

const reading = ["status", "list", "logs -n 20"]

const named = ({ instructions, quick }) => ({
  start: [
    "--version",
    "completion bash",
    "status",
    ...(instructions ? [] : ["status, next to the original"]),
    "list",
    "wait of an ended task",
    "logs -n 20",
    ...(quick || instructions ? [] : reading.map((name) => `${name}, a million next to ten`))
  ],
  submit: [
    "run until the prompt is back, live worker",
    "run until the prompt is back, cold start",
    "to the running agent: inside a live worker",
    "to the running agent: cold start",
    "to the running agent: worker elsewhere",
    `${quick ? 10 : 100} tasks from a loop of the shell`,
    "1,000 tasks in a batch"
  ],
  drain: ["100 tasks that do nothing, limit 8"],
  cycles: [
    "claim and finish, 1 process",
    "claim and finish, 4 processes",
    "claim and finish, 16 processes",
    "errors meanwhile"
  ],
  claim: ["no accounts", "40 lanes, all open", "40 lanes, one open", "40 lanes, all closed"].map(
    (name) => `claim, ${quick ? "100,000" : "1,000,000"} queued, ${name}`
  ),
  mcp: [
    "start to tools/list",
    ...["p50", "p99"].map((share) => `TaskStatus ${share}, ${quick ? "1,000" : "100,000"} tasks`),
    ...["1 open wait", "500 open waits"].map((what) => `${what}, share of a core`),
    "ping right behind 500 waits",
    "ping p50, 500 open waits",
    "ping p99, 500 open waits",
    "leaving, 500 open waits"
  ],
  model: [
    ...["listed", "with --tools all"].flatMap((which) => [
      `tools ${which}`,
      `tokens of the tools ${which}`,
      `tools/list ${which}`
    ]),
    "a queued task in an answer",
    ...["s on one database: all initialized", "s: a task of each has ended", "s: errors and lost tasks"].map(
      (what) => `${quick ? 10 : 50} server${what}`
    )
  ],
  output: [
    `${quick ? 50 : 200} MB into the database`,
    "follow from another process, p50",
    "follow from another process, p99",
    `growth of the worker during ${quick ? 100 : 500} MB`
  ],
  memory: [
    "idle worker, resident",
    "shim of a task, resident",
    "growth of the worker per running task",
    "per running task, without its agent"
  ],
  graph: ["resolve 10,000 dependents", "cancel 10,000 dependents", "cycle check, 100,352 edges"],
  workspace: ["cut of a workspace", "seal of 40 changed files", "disk in addition to the files"].map(
    (what) => `${what}, ${quick ? "5,000" : "50,000"} files`
  ),
  screen: [
    "list, user + system time",
    "top --once, user + system time",
    "top until its first frame, CPU",
    "web until it listens, CPU",
    "top, resident",
    "web, resident",
    "from the submit to the screen",
    "from the submit to the screen, p99",
    "from the submit to a client of /events",
    "from the submit to a client of /events, p99",
    "bytes to the terminal per update"
  ],
  others: ["to hand over one command", "100 commands that do nothing, handed over and worked off"],
  idle: [
    ...[
      "worker",
      "worker with a schedule",
      "MCP server",
      "MCP server with a schedule",
      "MCP server, a task waits for its time",
      "worker with 20 silent tasks",
      "worker with 3 silent tasks",
      "top",
      "web"
    ].map((name) => `${name}, share of a core`),
    "MCP server, next to the original",
    "MCP server, resident",
    "top, bytes a minute"
  ]
})

/** The figures of a group by the options of the run. */
export const figuresOf = (group, options) => {
  if (titles[group] === undefined) throw new Error(`no such group: ${group}`)
  return named(options)[group]
}
