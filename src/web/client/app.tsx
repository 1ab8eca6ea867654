/** The page: its frame, its parts by address, and what it says when the server is gone. */
import { render } from "preact"
import { useEffect } from "preact/hooks"
import type { InboxEntry } from "../../programs/questions/inbox.ts"
import { takeToken } from "./Api.ts"
import { Board } from "./board.tsx"
import { Later } from "./later.tsx"
import { Empty, Heading } from "./parts.tsx"
import { connection, follow, info, type Loaded, place, readPlace, said, useLoaded } from "./State.ts"
import { Task } from "./task.tsx"

const pages = [
  ["", "Board"],
  ["inbox", "Inbox"],
  ["pipelines", "Pipelines"],
  ["schedules", "Schedules"],
  ["limits", "Limits"],
  ["usage", "Usage"]
] as const

type Asked = Loaded<{ readonly questions: ReadonlyArray<InboxEntry> }>

/** Pages that are loaded when they are first opened. */
const later = {
  new: () => import("./submit.tsx").then(({ Submit }) => Submit),
  schedules: () => import("./schedules.tsx").then(({ Schedules }) => Schedules),
  limits: () => import("./limits.tsx").then(({ Limits }) => Limits),
  usage: () => import("./usage.tsx").then(({ Usage }) => Usage)
} as const

const isLater = (name: string): name is keyof typeof later => Object.hasOwn(later, name)

const connectionWords = {
  starting: "Connecting",
  live: "Live",
  lost: "No answer, trying again",
  over: "Ended"
} as const

const Page = ({ asked }: { readonly asked: Asked }) => {
  const { path } = place.value
  const [name = "", id] = path
  if (name === "") return <Board />
  if (name === "task" && id !== undefined) return <Task key={id} id={id} />
  if (name === "inbox") {
    return <Later key={name} load={() => import("./inbox.tsx").then(({ Inbox }) => Inbox)} given={{ loaded: asked }} />
  }
  if (name === "pipelines" && id !== undefined) {
    return (
      <Later key={id} load={() => import("./pipelines.tsx").then(({ PipelinePart }) => PipelinePart)} given={{ id }} />
    )
  }
  if (name === "pipelines") {
    return (
      <Later key={name} load={() => import("./pipelines.tsx").then(({ PipelineList }) => PipelineList)} given={{}} />
    )
  }
  if (isLater(name)) return <Later key={name} load={later[name]} given={{}} />
  return (
    <>
      <Heading title="Not found">Not found</Heading>
      <Empty>
        There is no such page. <a href="#/">Board</a>
      </Empty>
    </>
  )
}

const App = () => {
  const state = connection.value
  const { path } = place.value
  const asked: Asked = useLoaded("/questions")
  const open = asked.value?.questions.length ?? 0
  const here = path[0] === "task" ? "" : (path[0] ?? "")
  useEffect(() => {
    scrollTo(0, 0)
  }, [path.join("/")])
  return (
    <>
      <button type="button" class="skip" onClick={() => document.querySelector<HTMLElement>("h1")?.focus()}>
        Skip to the content
      </button>
      <header>
        <a class="name" href="#/">
          Backbeat
        </a>
        <nav aria-label="Pages">
          {pages.map(([name, word]) => (
            <a key={name} href={`#/${name}`} aria-current={here === name ? "page" : undefined}>
              {word}
              {name === "inbox" && open > 0 && <span class="asked"> {open}</span>}
            </a>
          ))}
          {info.value?.readOnly === false && (
            <a href="#/new" aria-current={here === "new" ? "page" : undefined}>
              New task
            </a>
          )}
        </nav>
        <span class={`connection ${state}`} role="status">
          {connectionWords[state]}
        </span>
      </header>
      <main id="main">
        {state === "over" ? (
          <>
            <Heading title="Ended">This server has ended</Heading>
            <Empty>Another one has its place, with another token. In a terminal: beat web url</Empty>
          </>
        ) : (
          <Page asked={asked} />
        )}
      </main>
      <div class="heard" role="status" aria-live="polite">
        {said.value}
      </div>
    </>
  )
}

const NoToken = () => (
  <main>
    <h1>This tab has no token</h1>
    <Empty>Open the address that 'beat web url' prints: the token is behind its #.</Empty>
  </main>
)

const root = document.getElementById("app")
if (root !== null) {
  if (await takeToken()) {
    // An address with a token that comes into a tab that is open belongs to a server that was started later.
    addEventListener("hashchange", () => {
      if (location.hash.startsWith("#t=")) location.reload()
    })
    readPlace()
    render(<App />, root)
    void follow()
  } else render(<NoToken />, root)
}
