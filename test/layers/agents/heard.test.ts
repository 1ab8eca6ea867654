/** What a worker hears of messages in the stream of an agent that takes them while it runs. */
import { assert, describe, it } from "@effect/vitest"
import { interruptText, replyText, sayText } from "../../../src/domain/message/AgentInput.ts"
import { MessageId } from "../../../src/domain/message/Message.ts"
import { claude } from "../../../src/layers/agents/adapters/claude.ts"
import { claudeHeard } from "../../../src/layers/agents/signals/claudeHeard.ts"

const id = MessageId.make("22222222-2222-4222-8222-222222222222")
const heard = (event: object) => claudeHeard(JSON.stringify(event))

describe("claudeHeard", () => {
  it("a message is taken when its turn starts, and when it is put into the running one", () => {
    const lifecycle = (state: string) => heard({ type: "command_lifecycle", command_uuid: id, state, uuid: "other" })
    assert.deepStrictEqual(lifecycle("started"), [{ _tag: "Taken", id }, { _tag: "Began" }])
    for (const state of ["queued", "completed", "cancelled"]) assert.deepStrictEqual(lifecycle(state), [], state)
    const replayed = { type: "user", message: { role: "user", content: "x" }, uuid: id }
    assert.deepStrictEqual(heard({ ...replayed, isReplay: true }), [{ _tag: "Taken", id }])
    assert.deepStrictEqual(heard(replayed), [])
  })

  it("an interrupt is taken when it is answered", () => {
    const response = { subtype: "success", request_id: id, response: { still_queued: [] } }
    assert.deepStrictEqual(heard({ type: "control_response", response }), [{ _tag: "Taken", id }])
  })

  it("a turn begins with an answer and ends with a result, whatever it says", () => {
    assert.deepStrictEqual(heard({ type: "assistant", message: { content: [] } }), [{ _tag: "Began" }])
    // The real one does not begin the line with its type.
    for (const more of [{}, { is_error: true, subtype: "error_during_execution" }]) {
      assert.deepStrictEqual(heard({ duration_api_ms: 1, ...more, type: "result" }), [{ _tag: "Ended" }])
    }
  })

  it("the text of a tool or of a message says nothing", () => {
    const quoted = JSON.stringify({ type: "command_lifecycle", command_uuid: id, state: "started" })
    for (const text of [quoted, '"type":"result"', `"isReplay":true,"uuid":"${id}"`]) {
      const content = [{ type: "tool_result", content: text }]
      assert.deepStrictEqual(heard({ type: "user", message: { role: "user", content } }), [])
    }
    assert.deepStrictEqual(claudeHeard(`${quoted.slice(0, -5)}`), [])
    assert.deepStrictEqual(claudeHeard("plain text"), [])
  })
})

describe("what an agent is told", () => {
  it("is one line of ASCII that holds the same text", () => {
    const text = 'one\ntwo \u2028 ünï 🎉 "quoted" `x` $HOME \\n'
    const line = sayText("stream-json", id, text)
    assert.match(line, /^[\x20-\x7e]+$/)
    const { message, type, uuid } = JSON.parse(line)
    assert.deepStrictEqual([type, uuid, message], ["user", id, { role: "user", content: text }])
    assert.strictEqual(sayText("lines", id, text), text)
    assert.deepStrictEqual(JSON.parse(interruptText(id)).request, { subtype: "interrupt" })
  })

  it("a request for a tool is heard whole, and the echo of its answer is the receipt", () => {
    const request = {
      subtype: "can_use_tool",
      tool_name: "Bash",
      input: { command: "git push" },
      permission_suggestions: [{ type: "x" }]
    }
    assert.deepStrictEqual(heard({ type: "control_request", request_id: "r1", request }), [
      {
        _tag: "Asks",
        request: { requestId: "r1", tool: "Bash", input: { command: "git push" }, suggestions: [{ type: "x" }] }
      }
    ])
    assert.deepStrictEqual(heard({ type: "control_request", request_id: "r1", request: { subtype: "other" } }), [])
    const text = replyText({
      request: { requestId: "r1", tool: "Bash", input: { command: "ü" }, suggestions: [] },
      answers: [{ text: "allow", denied: false }]
    })
    assert.match(text, /^[\u0020-\u007e]+$/)
    assert.deepStrictEqual(heard(JSON.parse(text)), [{ _tag: "Replied", requestId: "r1" }])
  })

  it("asks over stdin only where that is wanted, and for permissions only without a free pass", () => {
    const args = (asks: "questions" | "permissions" | null) =>
      claude.plan({
        program: "/bin/claude",
        prompt: "x",
        model: null,
        systemPrompt: null,
        settings: {},
        sessionId: id,
        resume: null,
        steer: true,
        asks,
        server: null,
        environment: {},
        root: false
      }).launch.args
    assert.notInclude(args(null), "--permission-prompt-tool")
    assert.includeMembers([...args("questions")], ["--permission-prompt-tool", "--dangerously-skip-permissions"])
    assert.includeMembers([...args("permissions")], ["--permission-prompt-tool", "--permission-mode"])
    assert.notInclude(args("permissions"), "--dangerously-skip-permissions")
  })

  it("is asked of Claude Code with receipts, only where its input stays open", () => {
    const plan = (steer: boolean) =>
      claude.plan({
        program: "/bin/claude",
        prompt: "x",
        model: null,
        systemPrompt: null,
        settings: {},
        sessionId: id,
        resume: null,
        steer,
        asks: null,
        server: null,
        environment: {},
        root: false
      }).launch
    assert.strictEqual(plan(false).stdin, "prompt")
    assert.notInclude(plan(false).args, "--replay-user-messages")
    assert.strictEqual(plan(true).stdin, "stream-json")
    assert.includeMembers([...plan(true).args], ["--input-format", "--replay-user-messages"])
  })
})

describe("what people see of messages", () => {
  it("what was said while it ran, and not the prompt or the receipts", () => {
    const renderer = claude.renderer()
    const replay = (content: string) =>
      renderer.line(JSON.stringify({ type: "user", message: { role: "user", content }, uuid: id, isReplay: true }))
    assert.deepStrictEqual(replay("the prompt"), [])
    assert.deepStrictEqual(
      renderer.line(JSON.stringify({ type: "command_lifecycle", command_uuid: id, state: "queued" })),
      []
    )
    assert.deepStrictEqual(replay("do not\ntouch"), ["> do not", "> touch"])
  })
})
