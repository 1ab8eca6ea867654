/** What an isolated task has changed: its files, and the patch of each, folded where it is long. */
import { useState } from "preact/hooks"
import { sanitize } from "../../text/Sanitize.ts"
import type { Changes } from "../api/TasksApi.ts"
import { Empty, Problem } from "./parts.tsx"
import { useLoaded } from "./State.ts"
import { many, plain } from "./Words.ts"

/** A longer part of a patch is folded: it is drawn when it is opened. */
const longPart = 400

interface Part {
  readonly name: string
  readonly lines: ReadonlyArray<string>
}

const partsOf = (patch: string): ReadonlyArray<Part> => {
  const parts: Array<{ name: string; lines: Array<string> }> = []
  for (const line of patch.split("\n")) {
    const file = /^diff --git a\/(.*) b\/(.*)$/.exec(line)
    if (file !== null) parts.push({ name: file[2] ?? "", lines: [] })
    else if (line !== "" || parts.length > 0)
      (parts.at(-1) ?? parts[parts.push({ name: "", lines: [] }) - 1])?.lines.push(line)
  }
  return parts
}

const kindOf = (line: string): string =>
  /^(\+\+\+|---|index |new file|deleted file|similarity|rename|old mode|new mode)/.test(line)
    ? "meta"
    : line.startsWith("@@")
      ? "hunk"
      : line.startsWith("+")
        ? "added"
        : line.startsWith("-")
          ? "removed"
          : "same"

const FilePart = ({ part }: { readonly part: Part }) => {
  const [open, setOpen] = useState(part.lines.length <= longPart)
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {plain(part.name)} <span class="hint">{many(part.lines.length, "line")}</span>
      </summary>
      {open && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways, also by keyboard
        <pre class="patch" tabIndex={0}>
          {part.lines.map((line, at) => (
            <span key={at} class={kindOf(line)}>
              {sanitize(line)}
              {"\n"}
            </span>
          ))}
        </pre>
      )}
    </details>
  )
}

export const Diff = ({ id }: { readonly id: string }) => {
  const { error, value } = useLoaded<typeof Changes.Type>(`/tasks/${id}/diff`)
  if (value === null) return error === null ? <Empty>Reading …</Empty> : <Problem text={error} />
  if (value.files.length === 0) return <Empty>It changed no file.</Empty>
  return (
    <>
      <ul class="files">
        {value.files.map(({ deletions, insertions, path }) => (
          <li key={path}>
            {plain(path)}{" "}
            {insertions === null || deletions === null ? (
              <span class="hint">binary</span>
            ) : (
              <>
                <span class="added">+{insertions}</span> <span class="removed">−{deletions}</span>
              </>
            )}
          </li>
        ))}
      </ul>
      {value.more && <Empty>More files have changed. All of them, in a terminal: beat diff {id}</Empty>}
      {partsOf(value.patch).map((part) => (
        <FilePart key={part.name} part={part} />
      ))}
    </>
  )
}
