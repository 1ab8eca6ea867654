/** Other programs' configuration files, in every way people write them: our entry changes, and not one other byte. */
import { assert, describe, it } from "@effect/vitest"
import * as jsonc from "jsonc-parser"
import { parse } from "smol-toml"
import { parseTOML } from "toml-eslint-parser"
import type { EditResult } from "../../../src/programs/setup/clients/Entry.ts"
import { removeJson, setJson } from "../../../src/programs/setup/clients/JsonEdit.ts"
import { removeToml, setToml, type TomlParsers } from "../../../src/programs/setup/clients/TomlEdit.ts"

const entry = { command: "beat", args: ["mcp", "start"] }
const textOf = (result: EditResult): string =>
  result._tag === "Edited" ? result.text : assert.fail(`refused: ${result.problem}`)

/** Whether every character of `before` is in `after`, in order: something was put in, nothing taken out. */
const isKept = (before: string, after: string): boolean => {
  let at = 0
  for (const character of after) if (character === before[at]) at += 1
  return at === before.length
}

describe("a JSON file", () => {
  const set = (text: string) => setJson(jsonc, text, "servers", "backbeat", entry)
  const remove = (text: string) => removeJson(jsonc, text, "servers", "backbeat")
  const dataOf = (text: string): unknown =>
    jsonc.parse(text.replace(/^\uFEFF/, ""), [], { allowTrailingComma: true, disallowComments: false })

  const files: Readonly<Record<string, string>> = {
    "of one line": '{"a":1,"servers":{"x":{"command":"y"}},"b":[1,2]}',
    "of one line without the section": '{"a":1}',
    "of one line with blanks": '{ "servers": { "x": {} } }\n',
    "with an empty section of one line": '{"servers":{},"a":1}',
    "with four spaces": '{\n    "servers": {\n        "x": {}\n    }\n}\n',
    "with tabs and CRLF": '{\r\n\t"servers": {\r\n\t\t"x": {}\r\n\t},\r\n\t"b": 1\r\n}\r\n',
    "with a byte order mark": '\uFEFF{\n  "a": 1\n}\n',
    "with comments":
      '// mine\n{\n  // the servers\n  "servers": {\n    "x": {} // of x\n    // the end\n  } /* more */\n}\n',
    "with trailing commas": '{\n  "servers": {\n    "x": {}, // of x\n  },\n}\n',
    "with a comma on the next line": '{\n  "servers": {\n    "x": {} // of x\n    ,\n  }\n}\n',
    "with a comment in an empty section": '{\n  "servers": {\n    // none yet\n  }\n}\n',
    "with big and odd numbers": '{"n": 12345678901234567890, "y": 1e400, "z": 1.0, "e": -0}',
    "with a name twice elsewhere": '{"a":1,"a":2,"o":{"k":1,"k":2}}',
    "with numbers as names and escapes": '{"2":0,"1":0,"\\u0061":"\\/","__proto__":{"x":1}}',
    "that is empty but for an object": "{}",
    "with text that looks like an entry": '{"t":"\\"servers\\": {\\"backbeat\\": 1}"}'
  }

  for (const [what, before] of Object.entries(files)) {
    it(`${what} keeps every other byte`, () => {
      const after = textOf(set(before))
      assert.deepStrictEqual(Reflect.get(Reflect.get(Object(dataOf(after)), "servers"), "backbeat"), entry)
      assert.strictEqual(textOf(set(after)), after, "twice is once")
      assert.isTrue(isKept(before, after), after)
      const gone = textOf(remove(after))
      assert.notInclude(gone.replace(/\\"/g, ""), '"backbeat"')
      assert.deepStrictEqual({ servers: {}, ...Object(dataOf(gone)) }, { servers: {}, ...Object(dataOf(before)) })
      if (before.includes('"servers": {\n    "x"') || before.includes('"x":{')) assert.strictEqual(gone, before)
    })
  }

  it("has only what is ours brought up to date, in the entry's own words", () => {
    const before = '{"servers":{"backbeat":{"env":{"A": "b"}, "command" : "old", "args": [] /* none */}}}'
    const after = textOf(set(before))
    assert.strictEqual(after, before.replace('"old"', '"beat"').replace("[]", '["mcp","start"]'))
  })

  it("stays as it is where an entry says the same in another form", () => {
    const before = '{"servers": {"backbeat": {"args": [ "mcp",\n "start" ], "command": "beat"}}}'
    assert.strictEqual(textOf(set(before)), before)
  })

  for (const [text, problem] of [
    ['{"servers":{},"servers":{}}', "twice"],
    ['{"servers":{"backbeat":{},"backbeat":{}}}', "twice"],
    ["[]", "not a JSON object"],
    ['{"servers":1}', "something else"],
    ['{"servers":{"a":}', "not valid"],
    ['{"a":1,,}', "not valid"],
    ["{'a':1}", "not valid"],
    ["servers:\n  x: 1", "not valid"]
  ] as const) {
    it(`is refused: ${text}`, () => {
      const result = set(text)
      assert.strictEqual(result._tag, "Refused")
      assert.include(result._tag === "Refused" ? result.problem : "", problem)
    })
  }
})

describe("a TOML file", () => {
  const parsers: TomlParsers = {
    program: (text) => parseTOML(text),
    data: (text) => parse(text, { integersAsBigInt: true })
  }
  const path = ["mcp_servers", "backbeat"]
  const set = (text: string) => setToml(parsers, text, path, entry)
  const remove = (text: string) => removeToml(parsers, text, path)
  const own = (text: string): unknown => {
    const servers: unknown = parse(text.replace(/^\uFEFF/, ""), { integersAsBigInt: "asNeeded" }).mcp_servers
    const found: unknown = Reflect.get(Object(servers), "backbeat")
    // Without the prototypes of the parser.
    return found === undefined ? undefined : JSON.parse(JSON.stringify(found))
  }

  const without: Readonly<Record<string, string>> = {
    "that is empty": "",
    "with comments and a last line without an end": '# mine\nmodel = "x" # y',
    "with CRLF": "[a]\r\nx = 1\r\n",
    "with a byte order mark": "\uFEFFa = 1\n",
    "with other servers": '[mcp_servers.other]\ncommand = "x"\n\n[mcp_servers.other.env]\nA = "b"\n',
    "with servers in braces": 'mcp_servers = { other = { command = "x" } } # all\n',
    "with empty braces": "mcp_servers = {}\n",
    "with dotted servers": 'mcp_servers.other.command = "x"\n',
    "with text that looks like a header":
      'a = """\n[mcp_servers.backbeat]\ncommand = "no"\n"""\n# [mcp_servers.backbeat]\n',
    "with big numbers and dates":
      "n = 9223372036854775807\nd = 1979-05-27T07:32:00Z\nf = 1.0\ni = inf\n[[list]]\nx = 1\n"
  }
  for (const [what, before] of Object.entries(without)) {
    it(`${what} gets the table, keeps every other byte, and loses it again`, () => {
      const after = textOf(set(before))
      assert.deepEqual(own(after), entry)
      assert.isTrue(isKept(before, after), after)
      assert.strictEqual(textOf(set(after)), after, "twice is once")
      const gone = textOf(remove(after))
      assert.isUndefined(own(gone))
      assert.strictEqual(gone.trimEnd(), before.trimEnd())
    })
  }

  const within: Readonly<Record<string, string>> = {
    "over several lines":
      '[mcp_servers.backbeat]\ncommand = "old"\nargs = [\n  "mcp", # a\n  "stop",\n]\nx = 1\n\n[b]\ncommand = "kept"\n',
    "with quoted names": '["mcp_servers"."backbeat"]\ncommand = "old"\n',
    "with blanks in its header": "[ mcp_servers . 'backbeat' ] # ours\n  x = 1\n",
    "as braces in a table": '[mcp_servers]\nbackbeat = { command = "old", x = 1 } # ours\n',
    "as empty braces": "[mcp_servers]\nbackbeat = {}\n",
    "as braces in braces": 'mcp_servers = { backbeat = { command = "old" }, other = {} }\n',
    "with dotted names": 'mcp_servers.backbeat.command = "old"\nmcp_servers.backbeat.x = 1\n[b]\n',
    "with dotted names in a table": '[mcp_servers]\n  backbeat.command = "old"\n',
    "with its own environment": '[mcp_servers.backbeat]\ncommand = "old"\n\n[mcp_servers.backbeat.env]\nA = "b"\n',
    "with only an environment": '[mcp_servers.backbeat.env]\nA = "b"\n',
    "with a command over several lines": '[mcp_servers.backbeat]\ncommand = """\nold"""\n',
    "without an end of its last line": "[mcp_servers.backbeat]"
  }
  for (const [what, before] of Object.entries(within)) {
    it(`has its table brought up to date ${what}`, () => {
      const after = textOf(set(before))
      const found = Object(own(after))
      assert.strictEqual(found.command, "beat", after)
      assert.deepEqual(found.args, ["mcp", "start"], after)
      if (before.includes("x = 1")) assert.strictEqual(found.x, 1)
      if (before.includes("A =")) assert.deepEqual({ ...found.env }, { A: "b" })
      assert.strictEqual(textOf(set(after)), after, "twice is once")
      const gone = textOf(remove(after))
      assert.isUndefined(own(gone), gone)
      if (before.includes("[b]")) assert.include(gone, "[b]")
      if (before.includes("kept")) assert.include(gone, "kept")
      if (before.includes("other")) assert.include(gone, "other")
    })
  }

  it("gets variables where the table has its own: in a table below, in braces, or in a new place", () => {
    const env = { ...entry, env: { BACKBEAT_HOME: '/x y/"z"' } }
    for (const before of ["", ...Object.values(within)]) {
      const result = setToml(parsers, before, path, env)
      const after = result._tag === "Edited" ? result.text : assert.fail(`refused: ${before}`)
      assert.strictEqual(Object(own(after)).env.BACKBEAT_HOME, '/x y/"z"', after)
      assert.strictEqual(textOf(setToml(parsers, after, path, env)), after)
    }
  })

  for (const text of [
    "a = ",
    "[a]\nx = 1\nx = 2\n",
    "[[mcp_servers]]\nx = 1\n",
    "mcp_servers = 1\n",
    "[mcp_servers]\nbackbeat = 1\n",
    '{"json": true}'
  ]) {
    it(`is refused: ${JSON.stringify(text)}`, () => {
      assert.strictEqual(set(text)._tag, "Refused")
    })
  }
})
