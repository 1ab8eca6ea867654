/** Small parts that several pages use. */
import type { ComponentChildren } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import type { TaskSummary } from "../../domain/task/Task.ts"
import { moment } from "../../text/FormatDuration.ts"
import { now, said } from "./State.ts"
import { plain, statusWord, timeWords } from "./Words.ts"

const marks: Readonly<Record<string, string>> = {
  queued: "○",
  running: "●",
  asks: "?",
  completed: "✓",
  failed: "✗",
  cancelled: "⊘",
  skipped: "↷",
  missed: "!",
  active: "●",
  paused: "‖"
}

/** Colour, mark and word: no meaning depends only on the colour. */
export const Badge = ({ word }: { readonly word: string }) => (
  <span class={`badge ${word}`}>
    <span aria-hidden="true">{marks[word] ?? "·"}</span> {word}
  </span>
)

export const Status = ({ task }: { readonly task: Parameters<typeof statusWord>[0] }) => (
  <Badge word={statusWord(task)} />
)

export const Since = ({ task }: { readonly task: TaskSummary }) => (
  <time title={moment(task.endedAt ?? task.startedAt ?? task.createdAt)}>{timeWords(task, now.value)}</time>
)

export const TaskLink = ({ task }: { readonly task: Pick<TaskSummary, "id" | "title"> }) => (
  <a class="title" href={`#/task/${task.id}`}>
    {plain(task.title) || task.id}
  </a>
)

export const Labels = ({ labels }: { readonly labels: Readonly<Record<string, string>> }) => (
  <>
    {Object.entries(labels).map(([name, value]) => (
      <a key={name} class="label" href={`#/?label=${encodeURIComponent(`${name}=${value}`)}`}>
        {plain(`${name}=${value}`)}
      </a>
    ))}
  </>
)

export const Problem = ({ text }: { readonly text: string | null }) =>
  text === null ? null : (
    <p class="problem" role="alert">
      {text}
    </p>
  )

/** A table that scrolls in itself where the window is narrow. */
export const Table = (props: {
  readonly name: string
  readonly titles: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<ComponentChildren>>
}) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard
  <section class="table" tabIndex={0} aria-label={props.name}>
    <table>
      <thead>
        <tr>
          {props.titles.map((title) => (
            <th key={title} scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {props.rows.map((row, at) => (
          <tr key={at}>
            {row.map((cell, place) => (
              <td key={place}>{cell}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </section>
)

export const Empty = ({ children }: { readonly children: ComponentChildren }) => <p class="empty">{children}</p>

/** A button whose work takes a moment: it cannot be pressed twice, and says what went wrong. */
export const Act = (props: {
  readonly what: string
  readonly done: string
  readonly run: () => Promise<unknown>
  readonly danger?: boolean
  readonly disabled?: boolean
}) => {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const press = async () => {
    setBusy(true)
    setProblem(null)
    try {
      await props.run()
      said.value = props.done
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error))
    }
    setBusy(false)
  }
  return (
    <>
      <button
        type="button"
        class={props.danger === true ? "danger" : ""}
        disabled={busy || props.disabled === true}
        onClick={press}
      >
        {busy ? `${props.what} …` : props.what}
      </button>
      <Problem text={problem} />
    </>
  )
}

/** The title of the page and of its document; the keyboard goes there when the page changes. */
export const Heading = ({ children, title }: { readonly children: ComponentChildren; readonly title: string }) => {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Backbeat`
  }, [title])
  useEffect(() => heading.current?.focus({ preventScroll: true }), [])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  )
}
