/** The output of a task: the newest lines first, older ones as one scrolls up, new ones as they come. It stays fast at any length. */
import {
  elementScroll,
  measureElement,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualizerOptions
} from "@tanstack/virtual-core"
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks"
import type { OutputLine, OutputPage } from "../../programs/output/LinePages.ts"
import { get, listen, query } from "./Api.ts"
import { Problem } from "./parts.tsx"
import { said } from "./State.ts"
import { many, thousands } from "./Words.ts"

const firstLines = 1000
const pageLines = 5000

/** More lines than this are not kept: a browser has no use for them, and its memory has a bound. */
const mostLines = 300_000

/** Distance from the top, in pixels, at which older lines are read. */
const nearTop = 2000

const lineHeight = 20

type Lines = Virtualizer<HTMLDivElement, HTMLDivElement>
type Options = VirtualizerOptions<HTMLDivElement, HTMLDivElement>

/** The library's core, which is updated at each rendering. */
const useVirtual = (options: Omit<Options, "observeElementRect" | "observeElementOffset" | "scrollToFn">): Lines => {
  const [, render] = useReducer((count: number) => count + 1, 0)
  const all: Options = {
    ...options,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    measureElement,
    onChange: () => render(0)
  }
  const held = useRef<Lines | null>(null)
  held.current ??= new Virtualizer(all)
  const virtual = held.current
  virtual.setOptions(all)
  useLayoutEffect(() => virtual._didMount(), [])
  useLayoutEffect(() => virtual._willUpdate())
  return virtual
}

/** Lines as one list with a fixed number for each: the number of a line stays when older ones come before it. */
interface Held {
  readonly lines: ReadonlyArray<OutputLine>
  /** The number of the first line: it falls as older lines come. */
  readonly first: number
  /** Where older lines end; null: there are none. */
  readonly before: string | null
}

const find = (lines: ReadonlyArray<OutputLine>, words: string, from: number): number => {
  for (let at = Math.min(from, lines.length - 1); at >= 0; at -= 1) {
    if (lines[at]?.text.toLowerCase().includes(words) === true) return at
  }
  return -1
}

export const Log = ({ id, running }: { readonly id: string; readonly running: boolean }) => {
  const [held, setHeld] = useState<Held>({ lines: [], first: 0, before: null })
  const [loaded, setLoaded] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const [following, setFollowing] = useState(true)
  const [wrap, setWrap] = useState(true)
  const [mark, setMark] = useState<number | null>(null)
  const [words, setWords] = useState("")
  const [busy, setBusy] = useState<string | null>(null)
  const scroller = useRef<HTMLDivElement>(null)
  const current = useRef(held)
  const reading = useRef<Promise<boolean> | null>(null)
  const keep = (next: Held) => {
    current.current = next
    setHeld(next)
  }

  useEffect(() => {
    const abort = new AbortController()
    const follow = async (after: string) => {
      let place = after
      let over = false
      let retryMs = 250
      while (!over && !abort.signal.aborted) {
        await listen(`/tasks/${id}/output/follow${query({ after: place })}`, place, abort.signal, (told) => {
          retryMs = 250
          if (told.event === "end") over = true
          if (told.event !== "lines") return
          place = told.id ?? place
          const more: ReadonlyArray<OutputLine> = JSON.parse(told.data)
          const before = current.current
          const lines = [...before.lines, ...more]
          const dropped = Math.max(0, lines.length - mostLines)
          keep({ ...before, lines: dropped > 0 ? lines.slice(dropped) : lines, first: before.first + dropped })
        }).catch(() => undefined)
        if (over || abort.signal.aborted) return
        await new Promise((resume) => setTimeout(resume, retryMs))
        retryMs = Math.min(10_000, retryMs * 2)
      }
    }
    get<OutputPage>(`/tasks/${id}/output${query({ lines: firstLines })}`, abort.signal).then(
      ({ after, before, lines, status }) => {
        keep({ lines, first: 0, before })
        setLoaded(true)
        if (status === "running" || status === "queued") void follow(after)
      },
      (error: Error) => {
        if (!abort.signal.aborted) setProblem(error.message)
      }
    )
    return () => abort.abort()
  }, [id])

  /** Reads one page of older lines; false: there are none, or no more are kept. */
  const readOlder = (): Promise<boolean> => {
    const { before, lines } = current.current
    if (before === null || lines.length >= mostLines) return Promise.resolve(false)
    reading.current ??= get<OutputPage>(`/tasks/${id}/output${query({ before, lines: pageLines })}`)
      .then(
        (page) => {
          const now = current.current
          keep({
            lines: [...page.lines, ...now.lines],
            first: now.first - page.lines.length,
            before: page.before
          })
          return true
        },
        (error: Error) => {
          setProblem(error.message)
          return false
        }
      )
      .finally(() => {
        reading.current = null
      })
    return reading.current
  }

  const virtual = useVirtual({
    count: held.lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => lineHeight,
    getItemKey: (index) => held.first + index,
    overscan: 20,
    anchorTo: "end",
    followOnAppend: following,
    scrollEndThreshold: 40
  })

  useLayoutEffect(() => {
    if (loaded) virtual.scrollToEnd()
  }, [loaded])

  const scrolled = () => {
    const element = scroller.current
    if (element === null || !loaded) return
    setFollowing(element.scrollHeight - element.scrollTop - element.clientHeight < 60)
    if (element.scrollTop < nearTop) void readOlder()
  }

  const toStart = async () => {
    setFollowing(false)
    setBusy("Reading from the beginning …")
    while (await readOlder()) {}
    setBusy(null)
    requestAnimationFrame(() => virtual.scrollToIndex(0, { align: "start" }))
  }
  const toEnd = () => {
    setFollowing(true)
    virtual.scrollToEnd()
  }

  const search = async () => {
    const wanted = words.trim().toLowerCase()
    if (wanted === "") return
    setProblem(null)
    setFollowing(false)
    setBusy("Searching …")
    // Upwards from the line that was found last, or from the end.
    let from = mark === null ? current.current.lines.length - 1 : mark - current.current.first - 1
    let at = find(current.current.lines, wanted, from)
    while (at < 0) {
      const { length } = current.current.lines
      if (!(await readOlder())) break
      from = current.current.lines.length - length - 1
      at = find(current.current.lines, wanted, from)
    }
    setBusy(null)
    if (at < 0) {
      setMark(null)
      said.value = "Not found above. The next search begins at the end."
      setProblem(said.value)
      return
    }
    setMark(current.current.first + at)
    requestAnimationFrame(() => virtual.scrollToIndex(at, { align: "center" }))
  }

  const pressed = (event: KeyboardEvent) => {
    if (event.key === "Home") {
      event.preventDefault()
      void toStart()
    }
    if (event.key === "End") {
      event.preventDefault()
      toEnd()
    }
  }

  const older = held.before !== null
  return (
    <>
      <div class="bar">
        <search aria-label="Output">
          <form
            onSubmit={(event) => {
              event.preventDefault()
              void search()
            }}
          >
            <input
              aria-label="Find in the output, upwards"
              placeholder="Find upwards"
              value={words}
              onInput={(event) => {
                setWords(event.currentTarget.value)
                setMark(null)
              }}
            />
            <button type="submit">Find</button>
          </form>
        </search>
        <button type="button" onClick={toStart}>
          Start
        </button>
        <button type="button" onClick={toEnd} aria-pressed={following}>
          {running ? "Follow" : "End"}
        </button>
        <button type="button" aria-pressed={wrap} onClick={() => setWrap(!wrap)}>
          Wrap
        </button>
        <span class="hint" role="status">
          {busy ??
            `${thousands(held.lines.length)} line${held.lines.length === 1 ? "" : "s"}${older ? ", older above" : ""}`}
        </span>
      </div>
      <Problem text={problem} />
      {older && held.lines.length >= mostLines && (
        <p class="note">
          {many(mostLines, "line")} are shown here. All of them, in a terminal: beat logs {id}
        </p>
      )}
      {loaded && held.lines.length === 0 && (
        <p class="empty">{running ? "Nothing was printed yet." : "It printed nothing."}</p>
      )}
      <section
        ref={scroller}
        class={wrap ? "log wrap" : "log"}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard
        tabIndex={0}
        aria-label="Output"
        onScroll={scrolled}
        onKeyDown={pressed}
      >
        <div class="lines" style={{ height: `${virtual.getTotalSize()}px` }}>
          {virtual.getVirtualItems().map((item) => {
            const line = held.lines[item.index]
            if (line === undefined) return null
            return (
              <div
                key={item.key}
                ref={virtual.measureElement}
                data-index={item.index}
                class={`line ${line.stream}${item.key === mark ? " mark" : ""}`}
                style={{ transform: `translateY(${item.start}px)` }}
              >
                {line.text === "" ? "\u200b" : line.text}
              </div>
            )
          })}
        </div>
      </section>
    </>
  )
}
