/** Cuts bytes into lines of text: no boundary between chunks can corrupt a character, no line can exhaust the memory. */

/** A longer line is cut; adapters do not read longer lines either. In UTF-16 units. */
const longestLine = 8 * 1024 * 1024

export interface Lines {
  /** The lines that these bytes complete, without their newlines. */
  readonly push: (bytes: Uint8Array) => ReadonlyArray<string>
  /** The unfinished line, if there is one. The next bytes may continue elsewhere in the stream. */
  readonly flush: () => ReadonlyArray<string>
}

/** Invalid bytes become U+FFFD. A `\r` before the newline belongs to the newline. */
export const make = (limit: number = longestLine): Lines => {
  let decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  let pending: Array<string> = []
  let length = 0

  const keep = (text: string) => {
    if (text === "") return
    const room = limit - length
    length += text.length
    if (room > 0) pending.push(text.length <= room ? text : text.slice(0, room))
  }
  const take = (): string => {
    const line = pending.join("")
    const over = length - limit
    pending = []
    length = 0
    if (over > 0) return `${line}… (${over} more characters)`
    return line.endsWith("\r") ? line.slice(0, -1) : line
  }
  const add = (text: string): ReadonlyArray<string> => {
    const lines: Array<string> = []
    let from = 0
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      keep(text.slice(from, end))
      lines.push(take())
      from = end + 1
    }
    keep(text.slice(from))
    return lines
  }

  return {
    push: (bytes) => add(decoder.decode(bytes, { stream: true })),
    flush: () => {
      const lines = add(decoder.decode())
      decoder = new TextDecoder("utf-8", { ignoreBOM: true })
      return length === 0 ? lines : [...lines, take()]
    }
  }
}
