/** Holds a stream whose file was emptied against what its agent printed: nothing that came after that may be missing. */

export interface Emptied {
  readonly times: number
  /** When it was emptied last, in seconds since the boot of the machine. */
  readonly uptime: number
}

/** The clock that agents note counts hundredths of a second. */
const grain = 0.02

/** The line after which everything was printed once the file was empty, by the agent's own notes; null where none says so. */
export const printedBefore = (
  printed: ReadonlyArray<{ readonly at: number; readonly lines: number }>,
  { uptime }: Emptied
): number | null => printed.find(({ at }) => at > uptime + grain)?.lines ?? null

const common = (one: Buffer, other: Buffer, at: (buffer: Buffer, index: number) => number | undefined): number => {
  const most = Math.min(one.length, other.length)
  let length = 0
  while (length < most && at(one, length) === at(other, length)) length += 1
  return length
}

/** How many bytes two texts begin and end with alike. */
const prefix = (one: Buffer, other: Buffer): number => common(one, other, (buffer, index) => buffer[index])
const suffix = (one: Buffer, other: Buffer): number =>
  common(one, other, (buffer, index) => buffer[buffer.length - 1 - index])

interface EmptiedStream {
  readonly stored: Buffer
  /** All that the agent prints. */
  readonly whole: Buffer
  /** Bytes at its end that were printed after the file was emptied. */
  readonly after: number
  /** It came to its own end. */
  readonly finished: boolean
  readonly times: number
}

/** What is wrong with the stored bytes; null where nothing is. */
export const emptiedProblem = ({ after, finished, stored, times, whole }: EmptiedStream): string | null => {
  if (!finished) return null
  const end = suffix(stored, whole)
  if (end < after) return `${after} bytes were printed after it was emptied, and ${end} of them are there`
  // Between two times there may be pieces that neither the beginning nor the end shows.
  if (times === 1 && prefix(stored, whole) + end < stored.length) {
    return "it is not what was printed before it was emptied, and then what was printed after"
  }
  return null
}
