/** Cold starts of the commands that read, with few tasks and with a million. */
import { manyTasks, manyTasksOfOriginal, templateOf } from "../databases.mjs"
import { interleaved, makeHome } from "../measure.mjs"
import { makeOriginal } from "../original.mjs"

const thousands = (count) => count.toLocaleString("en")

export const start = async ({ original, quick, report, reason, say }) => {
  const sizes = quick ? [10, 1000] : [10, 1_000_000]
  const rounds = quick ? 5 : 11
  const homes = []
  const bare = makeHome()
  const cases = { "node -e 0": async () => (await bare.node(["-e", "0"])).ms }
  const add = (contestant, home, id, size) => {
    homes.push(home)
    const commands = { status: ["status"], list: ["list"], logs: ["logs", id] }
    for (const [name, words] of Object.entries(commands)) {
      cases[`${contestant} ${name} ${size}`] = async () => (await home.beat(...words)).ms
    }
    cases[`${contestant} --version`] = async () => (await home.beat("--version")).ms
  }
  try {
    for (const size of sizes) {
      say(`  (${thousands(size)} tasks ...)`)
      const mine = makeHome({}, await manyTasks(size))
      add("beat", mine, templateOf(mine.database), size)
      if (original === null) continue
      const theirs = makeOriginal(original, {}, await manyTasksOfOriginal(original, size))
      add("original", theirs, templateOf(theirs.database), size)
    }
    // Two rounds warm up: the first run of a command makes its code cache, the second is the first that uses it.
    const times = await interleaved(cases, rounds, 2)
    const floors = { "node -e 0": times["node -e 0"] }
    report({
      name: "--version",
      unit: "ms",
      beat: times["beat --version"],
      original: times["original --version"] ?? reason,
      floors
    })
    for (const command of ["status", "list", "logs"]) {
      for (const size of sizes) {
        const [beat, theirs] = ["beat", "original"].map((who) => times[`${who} ${command} ${size}`])
        const figure = {
          name: `${command}, ${thousands(size)} tasks`,
          unit: "ms",
          beat,
          original: theirs ?? reason,
          floors
        }
        if (command !== "status") report(figure)
        else {
          report({ ...figure, goal: { text: "<= 0.4x original", limit: 0.4, of: "original" } })
          report({
            name: "",
            unit: "ms",
            beat,
            floors,
            goal: { text: "<= 2.2x node", limit: 2.2, of: "node -e 0" }
          })
        }
      }
      if (quick) continue
      report({
        name: `${command}, a million next to ten`,
        unit: "ms",
        beat: times[`beat ${command} 1000000`],
        floors: { "with ten": times[`beat ${command} 10`] },
        goal: { text: "<= 1.2x", limit: 1.2, of: "with ten" }
      })
    }
  } finally {
    for (const home of [...homes, bare]) await home.close()
  }
}
