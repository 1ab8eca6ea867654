/** Takes the place of `bindings` in the bundle: loads better-sqlite3's native part, or says how to mend it. */
"use strict"

module.exports = () => {
  try {
    return require("better-sqlite3/build/Release/better_sqlite3.node")
  } catch (error) {
    const { dirname } = require("node:path")
    let place = "the directory where Backbeat is installed"
    try {
      place = dirname(dirname(dirname(require.resolve("better-sqlite3/package.json"))))
    } catch {
      // Not installed at all: the general words must do.
    }
    const problem =
      error.code === "MODULE_NOT_FOUND"
        ? "its native module better-sqlite3 was not built (were install scripts turned off?)"
        : /NODE_MODULE_VERSION/.test(error.message)
          ? `its native module better-sqlite3 was built for another Node than this ${process.version}`
          : `its native module better-sqlite3 cannot be loaded: ${String(error.message).split("\n")[0]}`
    process.stderr.write(`beat: ${problem}. Build it with:\n\n  cd '${place}' && npm rebuild better-sqlite3\n\n`)
    process.exit(70)
  }
}
