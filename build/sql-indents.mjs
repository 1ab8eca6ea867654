/** Takes the indentation out of files with SQL in them: it would be in the bundle as text, and SQLite does not need it. */
import { readFile } from "node:fs/promises"

export const sqlIndents = {
  name: "sql-indents",
  setup(builder) {
    // Line breaks stay, so that the lines of an error are those of the source.
    builder.onLoad({ filter: /[\\/](migrations|src[\\/]layers[\\/]sql)[\\/].*\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(/\n[ \t]+/g, "\n"),
      loader: "ts"
    }))
  }
}
