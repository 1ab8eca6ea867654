/** Cold starts of the commands that read, with few tasks and with a million: in milliseconds, or in instructions. */
import { manyTasks, manyTasksOfOriginal, templateOf } from "../databases.mjs"
import { instructionsOf, interleaved, makeHome } from "../measure.mjs"
import { makeOriginal } from "../original.mjs"

const thousands = (count) => count.toLocaleString("en")

const node = "node -e 0"

/** Of Node's own start. */
const timesNode = (limit) => ({ text: `<= ${limit}x node`, limit, of: node })

/** Each command with its goal: how many times the start of Node it may take, in time and in instructions. */
const commandsFor = (id) => ({
  "--version": { words: ["--version"], time: 1.1, count: 1.1 },
  "completion bash": { words: ["completion", "bash"], time: 1.3, count: 1.3 },
  status: { words: ["status"], time: 2.8, count: 3.2 },
  list: { words: ["list"], time: 2.8, count: 3.2 },
  "wait of an ended task": { words: ["wait", id], time: 2.8, count: 3.2 },
  "logs -n 20": { words: ["logs", "-n", "20", id], time: 2.8, count: 3.2 }
})

/** What the original has too, under the same words. */
const shared = ["--version", "status", "list", "logs -n 20"]

/** Those that read more where there is more to read. */
const reading = ["status", "list", "logs -n 20"]

const counted = async ({ report, say }) => {
  const home = makeHome({}, await manyTasks(10))
  const bare = makeHome()
  try {
    const floor = instructionsOf(bare, ["-e", "0"])
    if (floor === null) return say("  not counted: valgrind is not installed")
    for (const [name, { count, words }] of Object.entries(commandsFor(templateOf(home.database)))) {
      // The first makes the code cache, the second adds what was compiled for the command.
      const runs = [1, 2, 3, 4].map(() => instructionsOf(home, [home.binary, ...words]))
      report({ name, unit: "million", beat: runs.slice(2), floors: { [node]: [floor] }, goal: timesNode(count) })
    }
  } finally {
    for (const one of [home, bare]) await one.close()
  }
}

const timed = async ({ ends, original, quick, report, reason, say }) => {
  const sizes = quick ? [10, 1000] : [10, 1_000_000]
  const rounds = quick ? 5 : 9
  const homes = []
  const bare = makeHome()
  const cases = { [node]: async () => (await bare.node(["-e", "0"])).ms }
  const add = (contestant, home, size, names) => {
    homes.push(home)
    const commands = commandsFor(templateOf(home.database))
    for (const name of names) {
      const words =
        contestant === "original" && name.startsWith("logs") ? ["logs", commands[name].words[3]] : commands[name].words
      cases[`${contestant} ${name} ${size}`] = async () => (await home.beat(...words)).ms
    }
  }
  try {
    for (const size of sizes) {
      say(`  (${thousands(size)} tasks ...)`)
      const mine = makeHome({}, await manyTasks(size))
      const few = size === sizes[0]
      add("beat", mine, size, few ? Object.keys(commandsFor("")) : reading)
      if (original === null || !few) continue
      add("original", makeOriginal(original, {}, await manyTasksOfOriginal(original, size)), size, shared)
    }
    // Two rounds warm up: the first run of a command makes its code cache, the second is the first that uses it.
    const times = await interleaved(cases, rounds, 2, ends())
    const [few, many] = sizes
    const floors = { [node]: times[node] }
    for (const [name, { time }] of Object.entries(commandsFor(""))) {
      const beat = times[`beat ${name} ${few}`]
      const theirs = shared.includes(name) ? (times[`original ${name} ${few}`] ?? reason) : undefined
      report({ name, unit: "ms", beat, original: theirs, floors, goal: timesNode(time) })
      if (name === "status")
        report({
          name: "status, next to the original",
          unit: "ms",
          beat,
          original: theirs,
          goal: { text: "<= 0.4x original", limit: 0.4, of: "original" }
        })
    }
    if (quick) return
    for (const name of reading) {
      report({
        name: `${name}, a million next to ten`,
        unit: "ms",
        beat: times[`beat ${name} ${many}`],
        floors: { "with ten": times[`beat ${name} ${few}`] },
        goal: { text: "<= 1.1x", limit: 1.1, of: "with ten" }
      })
    }
  } finally {
    for (const home of [...homes, bare]) await home.close()
  }
}

export const start = (context) => (context.instructions ? counted(context) : timed(context))
