/** What all parts of the page share: where it is, what the server is, and when something happened. */
import { signal } from "@preact/signals"
import { useEffect, useRef, useState } from "preact/hooks"
import type { ServerInfo } from "../api/EventsApi.ts"
import { get, listen, Refused } from "./Api.ts"

export interface Place {
  readonly path: ReadonlyArray<string>
  readonly query: URLSearchParams
}

const placeOf = (hash: string): Place => {
  const [path = "", words = ""] = hash.replace(/^#/, "").split("?")
  return {
    path: path
      .split("/")
      .filter((part) => part !== "")
      .map(decodeURIComponent),
    query: new URLSearchParams(words)
  }
}

export const place = signal<Place>(placeOf(location.hash))

/** Takes the place from the address, which may have been changed without an event. */
export const readPlace = (): void => {
  place.value = placeOf(location.hash)
}
addEventListener("hashchange", readPlace)

/** Changes words of the query in the address: filters can be bookmarked and sent. */
export const setQuery = (changes: Readonly<Record<string, string>>): void => {
  const { path, query } = place.value
  const next = new URLSearchParams(query)
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") next.delete(name)
    else next.set(name, value)
  }
  const words = next.toString()
  history.replaceState(null, "", `#/${path.map(encodeURIComponent).join("/")}${words === "" ? "" : `?${words}`}`)
  readPlace()
}

export const info = signal<ServerInfo | null>(null)

/** `live`: events come. `lost`: the server does not answer, and is asked again. `over`: it was restarted, with another token. */
export const connection = signal<"starting" | "live" | "lost" | "over">("starting")

/** Rises when something happened, at most four times a second. */
export const changes = signal(0)

/** The time, once a second. */
export const now = signal(Date.now())
setInterval(() => {
  if (!document.hidden) now.value = Date.now()
}, 1000)

/** For screen readers: the result of an action. */
export const said = signal("")

const pauseMs = 250
const longestRetryMs = 10_000

/** Follows what happens for as long as the page is open, without a gap over breaks. */
export const follow = async (): Promise<void> => {
  let cursor: string | null = null
  let retryMs = 250
  let pending = false
  const happened = () => {
    if (pending) return
    pending = true
    setTimeout(() => {
      pending = false
      changes.value += 1
    }, pauseMs)
  }
  while (true) {
    try {
      info.value = await get<ServerInfo>("/server")
      await listen("/events", cursor, new AbortController().signal, ({ event, id }) => {
        connection.value = "live"
        retryMs = 250
        // The number of the last event tells what came while there was no stream; without one, everything is read again.
        if (event !== "hello" || cursor === null) happened()
        if (id !== null) cursor = id
      })
    } catch (error) {
      if (error instanceof Refused && error.status === 401) {
        connection.value = "over"
        return
      }
    }
    connection.value = "lost"
    await new Promise((resume) => setTimeout(resume, retryMs))
    retryMs = Math.min(longestRetryMs, retryMs * 2)
  }
}

export interface Loaded<A> {
  readonly value: A | null
  readonly error: string | null
  readonly again: () => void
}

/** What a path answers, read again when something happened; what was there stays until the new answer comes. */
export const useLoaded = <A>(path: string, everyMs: number | null = null): Loaded<A> => {
  const [state, setState] = useState<{ path: string; value: A | null; error: string | null }>({
    path,
    value: null,
    error: null
  })
  const [asked, setAsked] = useState(0)
  const tick = changes.value
  const busy = useRef(false)
  const missed = useRef(false)
  useEffect(() => {
    const abort = new AbortController()
    busy.current = true
    get<A>(path, abort.signal)
      .then(
        (value) => setState({ path, value, error: null }),
        (error: Error) => {
          if (abort.signal.aborted) return
          setState((before) => ({ path, value: before.path === path ? before.value : null, error: error.message }))
        }
      )
      .finally(() => {
        busy.current = false
        if (missed.current && !abort.signal.aborted) {
          missed.current = false
          setAsked((count) => count + 1)
        }
      })
    return () => abort.abort()
  }, [path, asked])
  const first = useRef(true)
  useEffect(() => {
    if (first.current) {
      first.current = false
      return
    }
    // A slow answer is waited for, not cut off by every event.
    if (busy.current) missed.current = true
    else setAsked((count) => count + 1)
  }, [tick])
  useEffect(() => {
    if (everyMs === null) return
    const timer = setInterval(() => {
      if (!document.hidden && !busy.current) setAsked((count) => count + 1)
    }, everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  const value = state.path === path ? state.value : null
  return { value, error: state.error, again: () => setAsked((count) => count + 1) }
}
