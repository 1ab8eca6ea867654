/**
 * Counts vitest's results: `node .ci/results.mjs RESULTS.json [SKIPS.json]` prints "PASSED FAILED" and names on stderr what
 * counts as a failure besides a failed test: a file that failed before its first test, and a skipped test that
 * test/skips.json does not explain on this machine.
 */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { relative, resolve } from "node:path"

const root = resolve(import.meta.dirname, "..")
const [resultsFile = "", skipsFile = resolve(root, "test/skips.json")] = process.argv.slice(2)
const read = (file) => JSON.parse(readFileSync(file, "utf8"))

const installed = (command) => spawnSync("/bin/sh", ["-c", 'command -v "$1"', "sh", command]).status === 0
const mayMount = () => spawnSync("unshare", ["--mount", "true"]).status === 0

/** Whether this machine is one on which the entry of the list applies. */
const applies = ({ missing, mount, node, root: asRoot }) =>
  (missing === undefined || !installed(missing)) &&
  (mount === undefined || mayMount() === mount) &&
  (node === undefined || Number(process.versions.node.split(".")[0]) >= node) &&
  (asRoot === undefined || (process.getuid?.() === 0) === asRoot)

const { testResults } = read(resultsFile)
const { skips } = read(skipsFile)

let passed = 0
const failures = []
for (const { assertionResults, name, status } of testResults) {
  const file = relative(root, name)
  if (status === "failed" && !assertionResults.some((test) => test.status === "failed")) {
    failures.push(`${file}: failed before its first test`)
  }
  for (const test of assertionResults) {
    const skip = skips.find((one) => one.file === file && test.fullName.includes(one.test) && applies(one.when))
    if (test.status === "passed") passed += 1
    else if (test.status === "failed") failures.push(`${file}: ${test.fullName}`)
    else if (skip === undefined) failures.push(`${file}: skipped without a reason in test/skips.json: ${test.fullName}`)
    else process.stderr.write(`skipped: ${file}: ${test.fullName} (${skip.reason})\n`)
  }
}
for (const failure of failures) process.stderr.write(`FAILED: ${failure}\n`)
process.stdout.write(`${passed} ${failures.length}\n`)
