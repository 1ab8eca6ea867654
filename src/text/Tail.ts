/** The end of what an agent printed: the last lines, found backwards, with bounded memory. */
import type { OutputChunk, StreamName } from "../domain/output/Output.ts"

/** The most bytes in memory while looking for lines. */
export const tailBytes = 16 * 1024 * 1024

const newline = 10

export const countNewlines = (bytes: Uint8Array): number => {
  let count = 0
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count += 1
  return count
}

/** Returns true once the chunks in the growing array hold `lines` lines and the end of the line before. */
export const enoughFor = (lines: number): ((newestFirst: ReadonlyArray<OutputChunk>) => boolean) => {
  let seen = 0
  let newlines = 0
  let size = 0
  return (newestFirst) => {
    for (const { bytes } of newestFirst.slice(seen)) {
      newlines += countNewlines(bytes)
      size += bytes.length
    }
    seen = newestFirst.length
    // Each of the two streams may end with an unfinished line.
    return newlines > lines + 2 || size >= tailBytes
  }
}

/** The last `lines` lines of the chunks, counted over both streams, cut to the byte. Oldest first, like the input. */
export const lastLines = (chunks: ReadonlyArray<OutputChunk>, lines: number): ReadonlyArray<OutputChunk> => {
  const begun = new Set<StreamName>()
  let ends = 0
  for (let index = chunks.length - 1; index >= 0; index -= 1) {
    const chunk = chunks[index]
    if (chunk === undefined || chunk.bytes.length === 0) continue
    if (!begun.has(chunk.stream)) {
      begun.add(chunk.stream)
      // A last line without newline is a line too.
      if (chunk.bytes.at(-1) !== newline) ends += 1
      if (ends > lines) return chunks.slice(index + 1)
    }
    for (let at = chunk.bytes.lastIndexOf(newline); at >= 0; at = chunk.bytes.lastIndexOf(newline, at - 1)) {
      ends += 1
      if (ends > lines) {
        const rest = { ...chunk, offset: chunk.offset + at + 1, bytes: chunk.bytes.slice(at + 1) }
        return [...(rest.bytes.length === 0 ? [] : [rest]), ...chunks.slice(index + 1)]
      }
      if (at === 0) break
    }
  }
  return chunks
}
