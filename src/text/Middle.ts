/** Shortens texts in the middle: the start and the end say most. */

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

/** At most `limit` bytes of UTF-8, without broken characters; a note gives the number of omitted bytes. */
export const cutMiddle = (text: string, limit: number): string => {
  if (text.length * 3 <= limit) return text
  const bytes = encoder.encode(text)
  if (bytes.length <= limit) return text
  const note = `\n[... ${bytes.length - limit} bytes left out ...]\n`
  // The note may grow by a digit once the bytes that it replaces are counted too.
  const room = limit - note.length - 2
  if (room < 2) return decoder.decode(bytes.subarray(0, backTo(bytes, limit)))
  const head = backTo(bytes, Math.ceil(room / 2))
  let tail = bytes.length - Math.floor(room / 2)
  while (isContinuation(bytes[tail])) tail += 1
  const left = `\n[... ${tail - head} bytes left out ...]\n`
  return `${decoder.decode(bytes.subarray(0, head))}${left}${decoder.decode(bytes.subarray(tail))}`
}

/** The start of the character that holds the byte at `at`. */
const backTo = (bytes: Uint8Array, at: number): number => {
  let start = at
  while (start > 0 && isContinuation(bytes[start])) start -= 1
  return start
}
