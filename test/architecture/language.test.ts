/** Which words the product does not use, in text that a person or a model reads and in comments. AGENTS.md lists them. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { assert, describe, it } from "@effect/vitest"
import ts from "typescript"
import { root, sourcesIn } from "./Sources.ts"
import { titlesOf } from "./Titles.ts"

interface Ban {
  readonly words: RegExp
  readonly instead: string
}

/** Idioms that a reader has to decode. `instead` is a hint: most such sentences need another subject. */
const idioms: ReadonlyArray<Ban> = [
  { words: /\bwhoever\b/i, instead: "name the person, process or command" },
  { words: /\b(no|some|any|every)body\b/i, instead: "name the person, process or command" },
  { words: /\banew\b/i, instead: "again, from the start" },
  { words: /\bbeside\b/i, instead: "next to, in addition to, at the same time as" },
  { words: /\bstands?\b(?! (for|still|out)\b)/i, instead: "is" },
  { words: /\b(is|are|be|been|was|were) told of\b|\btells? of\b/i, instead: "gets, reports" },
  { words: /\b(go|goes|going|gone|went) on\b(?! top)/i, instead: "continues" },
  { words: /\bby (it|them|him)sel(f|ves)\b/i, instead: "automatically, alone" },
  { words: /\bof (its|their) own\b/i, instead: "its own, a separate" },
  { words: /(?<!there )\b(is|are) no (?!longer|more|other|one\b|later|larger|less)/i, instead: "is not a" },
  { words: /\bwhat is due\b/i, instead: "name what is due" },
  { words: /\bfor good\b/i, instead: "permanently" },
  { words: /\bat once\b/i, instead: "immediately, at the same time, together" },
  { words: /\bwhat (becomes?|became) of\b/i, instead: "what happens to, what happened to" }
]

/** Words that another one has replaced. One word for one thing. */
const replaced: ReadonlyArray<Ban> = [
  { words: /\b(?<!lays? |laying |another )runtimes?\b/i, instead: "worker" },
  {
    words:
      /\b(a|an|one|its|this|each|next|last|first|second|newest|another|failed) try\b(?! to)|\b(all|its|several|earlier|more) tries\b(?! (it|to|again|them)\b)/i,
    instead: "attempt"
  },
  { words: /\bmaxWorkers\b/i, instead: "maxConcurrency" },
  { words: /\bsub-?tasks?\b/i, instead: "a task below, a delegated task" }
]

/** Text that is ours to choose: the strings and comments of a source file. */
const textsOf = (path: string, text: string): ReadonlyArray<string> => {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true)
  const comments = new Map<number, string>()
  const texts: Array<string> = []
  const visit = (node: ts.Node): void => {
    const ranges = [
      ...(ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []),
      ...(ts.getTrailingCommentRanges(text, node.getEnd()) ?? [])
    ]
    for (const { pos, end } of ranges) comments.set(pos, text.slice(pos, end))
    if (ts.isImportDeclaration(node)) return
    if (ts.isStringLiteralLike(node) || ts.isTemplateLiteralToken(node) || ts.isJsxText(node)) texts.push(node.text)
    ts.forEachChild(node, visit)
  }
  visit(file)
  // A sentence may begin on one line of a comment and end on the next.
  return [...texts, ...comments.values()].map((part) => part.replaceAll(/\s*\n\s*(\*|\/\/)?\s*/g, " "))
}

const offences = (bans: ReadonlyArray<Ban>, where: string, texts: ReadonlyArray<string>): ReadonlyArray<string> =>
  bans.flatMap(({ instead, words }) =>
    texts.flatMap((part) => {
      const found = words.exec(part)
      if (found === null) return []
      const around = part.slice(Math.max(0, found.index - 40), found.index + 40)
      return [`${where}: "${around}": write ${instead}`]
    })
  )

/** The page of `beat web`, whose files are not modules of the bundles that other tests look at. */
const client = readdirSync(join(root, "src/web/client"))
  .filter((name) => name.endsWith(".tsx"))
  .map((name) => ({ path: `src/web/client/${name}`, text: readFileSync(join(root, "src/web/client", name), "utf8") }))

/** What builds and measures the product: some of it says something to a person too. */
const tools = ["build", "bench"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.[cm]?[jt]s$/.test(name))
    .map((name) => ({ path: join(folder, name), text: readFileSync(join(root, folder, name), "utf8") }))
)

const pages = [
  ...["README.md", "AGENTS.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"],
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name))
]

/** Quoted words are examples, as in the table of AGENTS.md that this test enforces. */
const proseOf = (page: string): ReadonlyArray<string> => {
  const [text = ""] = readFileSync(join(root, page), "utf8").split("## Words that are not used")
  return [text.replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, "")]
}

describe("sentences", () => {
  const bans = [...idioms, ...replaced]

  it("in strings and comments of the source use none of the words that AGENTS.md rules out", async () => {
    const sources = [...sourcesIn("src", "migrations"), ...client, ...tools]
    assert.isAbove(sources.length, 500)
    const found: Array<string> = []
    for (const { path, text } of sources) {
      // The test runner has to be heard between two files.
      await setImmediate()
      found.push(...offences(bans, path, textsOf(path, text)))
    }
    assert.deepStrictEqual(found, [])
  })

  it("in the documentation use none of them", () => {
    assert.isAbove(pages.length, 20)
    assert.deepStrictEqual(
      pages.flatMap((page) => offences(bans, page, proseOf(page))),
      []
    )
  })

  it("in titles of tests use no such idiom", () => {
    const found = sourcesIn("test").flatMap(({ path, text }) => offences(idioms, path, [...titlesOf(text)]))
    assert.deepStrictEqual(found, [])
  })

  it("of the past are found", () => {
    const old = [
      "Times that nobody was awake for",
      "Keep the first one, whoever comes later",
      "Run a schedule now, beside its times",
      "the task goes on in the same session",
      "Try a task again by itself this often",
      "'x' is no name",
      "Start the runtime if none serves the queue",
      "No attempt of it is left: each try counts"
    ]
    for (const sentence of old) {
      const found = offences(bans, "old.ts", textsOf("old.ts", `export const help = ${JSON.stringify(sentence)}\n`))
      const inComment = offences(bans, "old.ts", textsOf("old.ts", `/** ${sentence}. */\nexport const help = 1\n`))
      assert.isNotEmpty(found, sentence)
      assert.isNotEmpty(inComment, sentence)
    }
    const fine = "There is no task with this id. It stands for a retry, and try again is a verb."
    assert.deepStrictEqual(offences(bans, "new.ts", [fine]), [])
  })
})
