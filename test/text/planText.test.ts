/** What an agent that writes a plan is asked, and the file that its answer holds. */
import { assert, describe, it } from "@effect/vitest"
import { planIn, planPrompt } from "../../src/text/PlanText.ts"

describe("the plan in an answer", () => {
  const yaml = "steps:\n  - name: a\n    prompt: echo"
  const answers: ReadonlyArray<readonly [string, string]> = [
    ["the answer itself", yaml],
    ["its block", `Here it is:\n\n\`\`\`yaml\n${yaml}\n\`\`\`\nGood luck.`],
    ["the largest of its blocks", `\`\`\`\nnpm i\n\`\`\`\n\n~~~yaml\n${yaml}\n~~~\n`],
    ["a block whose fence is longer, with a shorter one inside", `\`\`\`\`yaml\n${yaml} "\n\`\`\`\n"\n\`\`\`\``]
  ]
  for (const [what, answer] of answers) {
    it(`is ${what}`, () => {
      const found = planIn(answer)
      assert.isTrue(found.startsWith(yaml), found)
      assert.isTrue(found.endsWith("\n"))
    })
  }
})

describe("the prompt of a plan", () => {
  it("holds the goal as data, and of a second draft what was wrong with the first", () => {
    const first = planPrompt("move to tRPC", null)
    assert.include(first, "move to tRPC")
    assert.notInclude(first, "What is wrong")
    const second = planPrompt("move to tRPC", { text: "steps: 1\n", problems: "plan:1:8: steps is not a list" })
    assert.include(second, "steps: 1")
    assert.include(second, "plan:1:8: steps is not a list")
  })
})
