/** What rules answer of an agent's requests, and what the agent is told. */
import { assert, describe, it } from "vitest"
import {
  type AgentRequest,
  type ApproveRules,
  questionsIn,
  ruled,
  verdictOf
} from "../../src/domain/questions/AgentRequest.ts"

const bash = (command: string): AgentRequest => ({ requestId: "r1", tool: "Bash", input: { command }, suggestions: [] })

const question: AgentRequest = {
  requestId: "r2",
  tool: "AskUserQuestion",
  input: {
    questions: [
      { question: "Which database?", options: [{ label: "sqlite" }, { label: "postgres" }] },
      { question: "Why?" }
    ]
  },
  suggestions: []
}

const answer = (rules: ApproveRules, request: AgentRequest, permissions = true) => {
  const found = ruled({ permissions, rules, parkMs: null }, request)
  return found === null ? "ask" : found.denied ? "deny" : "allow"
}

describe("the rules for tools", () => {
  it("deny before they allow, and leave the rest to the person unless they say otherwise", () => {
    const rules = {
      allow: ["Bash(git diff:*)", "Bash(npm test)", "Read", "mcp__tracker__*"],
      deny: ["Bash(git push:*)"]
    }
    for (const [request, expected] of [
      [bash("git diff"), "allow"],
      [bash("git diff --stat"), "allow"],
      [bash("git difftool"), "ask"],
      [bash("npm test"), "allow"],
      [bash("npm test -- --watch"), "ask"],
      [bash("git push origin main"), "deny"],
      [bash("true && git push --force"), "deny"],
      [bash("echo $(git push)"), "deny"],
      [{ ...bash(""), tool: "Read", input: { file_path: "/etc/passwd" } }, "allow"],
      [{ ...bash(""), tool: "ReadAll", input: {} }, "ask"],
      [{ ...bash(""), tool: "mcp__tracker__close", input: {} }, "allow"]
    ] as const) {
      assert.strictEqual(answer(rules, request), expected, JSON.stringify(request))
      assert.strictEqual(answer({ ...rules, else: "deny" }, request), expected === "ask" ? "deny" : expected)
    }
  })

  it("never take the beginning of a command for the whole of it", () => {
    for (const more of [
      "; rm -rf x",
      " && rm x",
      " | sh",
      "\nrm x",
      " > /etc/x",
      " $(rm x)",
      " `rm x`",
      " & rm x",
      " $\u007bx}"
    ]) {
      assert.strictEqual(answer({ allow: ["Bash(git diff:*)"] }, bash(`git diff${more}`)), "ask", more)
    }
  })

  it("answer no question, and nothing where no permission is asked for", () => {
    assert.strictEqual(answer({ else: "allow" }, question), "ask")
    assert.strictEqual(answer({ else: "allow" }, bash("x"), false), "ask")
  })
})

describe("a request of an agent", () => {
  it("becomes one question each, with its options", () => {
    assert.deepStrictEqual(questionsIn(question), [
      { text: "Which database?", options: ["sqlite", "postgres"] },
      { text: "Why?", options: [] }
    ])
    assert.deepStrictEqual(questionsIn(bash("git push")), [
      { text: "May I use Bash? git push", options: ["allow", "deny", "always"] }
    ])
    const [long] = questionsIn(bash("x".repeat(9000)))
    assert.strictEqual(long?.text.length, 4000)
  })

  it("is answered as the agent expects it; a text that permits nothing is a refusal", () => {
    const told = (text: string, denied = false) => verdictOf({ request: bash("git push"), answers: [{ text, denied }] })
    assert.deepStrictEqual(told("allow"), { behavior: "allow", updatedInput: { command: "git push" } })
    assert.deepStrictEqual(told(" Allow "), told("allow"))
    assert.deepStrictEqual(told("deny"), { behavior: "deny", message: "The person declined." })
    assert.deepStrictEqual(told("not on main", true), { behavior: "deny", message: "not on main" })
    assert.deepStrictEqual(told("only to staging"), { behavior: "deny", message: "only to staging" })
    assert.deepStrictEqual(told("", true), { behavior: "deny", message: "The person declined." })
    const answers = [
      { text: "postgres", denied: false },
      { text: "so", denied: false }
    ]
    assert.deepStrictEqual(verdictOf({ request: question, answers }).updatedInput, {
      ...question.input,
      answers: { "Which database?": "postgres", "Why?": "so" }
    })
    assert.strictEqual(verdictOf({ request: question, answers: [{ text: "", denied: true }] }).behavior, "deny")
  })

  it("is allowed always for its process alone: no rule is written into the user's files, and no mode is changed", () => {
    const rule = { type: "addRules", rules: [{ toolName: "Bash" }], behavior: "allow", destination: "localSettings" }
    const request = { ...bash("npm test"), suggestions: [rule, { type: "setMode", mode: "acceptEdits" }] }
    assert.deepStrictEqual(verdictOf({ request, answers: [{ text: "always", denied: false }] }).updatedPermissions, [
      { ...rule, destination: "session" }
    ])
  })
})
