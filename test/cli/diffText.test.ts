/** A diff on a terminal: with the colors of git, and with nothing of an agent's that the terminal obeys. */
import { assert, describe, it } from "@effect/vitest"
import { stylesOf } from "../../src/cli/framework/Style.ts"
import { diffText } from "../../src/cli/output/diffText.ts"

const patch = [
  "diff --git a/a b/a",
  "--- a/a",
  "+++ b/a",
  "@@ -1 +1,2 @@ f()",
  "-one",
  "+\u001b[8mhidden\u001b[0m\u001b]0;PWN\u0007",
  " \u001b[31mred"
].join("\n")

const styles = (colour: boolean) => stylesOf({ tty: true, columns: 80, colour })

describe("a diff on a terminal", () => {
  it("has no code of the agent's", () => {
    const plain = diffText(patch, "patch", styles(false))
    assert.notInclude(plain, "\u001b")
    assert.include(plain, "+^[[8mhidden^[[0m^[]0;PWN^G\n ^[[31mred")
    for (const form of ["stat", "names"] as const) assert.notInclude(diffText(patch, form, styles(true)), "\u001b")
  })

  it("has colors", () => {
    const lines = diffText(patch, "patch", styles(true)).split("\n")
    assert.deepStrictEqual(lines.slice(0, 5), [
      "\u001b[1mdiff --git a/a b/a\u001b[22m",
      "\u001b[1m--- a/a\u001b[22m",
      "\u001b[1m+++ b/a\u001b[22m",
      "\u001b[36m@@ -1 +1,2 @@\u001b[39m f()",
      "\u001b[31m-one\u001b[39m"
    ])
    assert.strictEqual(lines[5], "\u001b[32m+^[[8mhidden^[[0m^[]0;PWN^G\u001b[39m")
  })
})
