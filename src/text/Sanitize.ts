/**
 * Makes text from an agent safe to show: nothing in it can move the cursor, change colours, set titles or swap directions.
 *
 * Weighed: `util.stripVTControlCharacters` (Node 20.20), which leaves BEL, backspace, carriage return, U+202E and the body of
 * a DCS string. It is made for measuring width, this is a security measure of 27 lines, so it stays. docs/decisions/0010-sanitize.md
 */

/**
 * Whole sequences, so that no remnant such as `[31m` stays visible: control strings (OSC, DCS, SOS, PM, APC) with their
 * terminator on the same line, CSI with its parameters, and two-byte escapes, each introduced by ESC or by its single C1 character.
 * No body reaches over the next introducer: each character is looked at a fixed number of times, whatever an agent prints.
 * https://www.ecma-international.org/publications-and-standards/standards/ecma-48/
 */
const sequences = new RegExp(
  [
    "(?:\\u001b[\\]PX^_]|[\\u009d\\u0090\\u0098\\u009e\\u009f])[^\\u0007\\n\\u001b\\u0090\\u0098\\u009c-\\u009f]*(?:\\u0007|\\u001b\\\\|\\u009c)",
    "(?:\\u001b\\[|\\u009b)[0-?]*[ -/]*[@-~]",
    "\\u001b[ -/]*[0-~]"
  ].join("|"),
  "g"
)

/** Control characters except tab and newline, and the marks and overrides of writing direction. */
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

export const sanitize = (text: string): string => text.replace(sequences, "").replace(controls, "")

/** How a control character is written: `^[`, `^G`, `<U+009B>`. */
const nameOf = (character: string): string => {
  const code = character.charCodeAt(0)
  return code < 0x20 || code === 0x7f
    ? `^${String.fromCharCode(code ^ 0x40)}`
    : `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`
}

/** As safe to show as sanitized text, and nothing is left out: a review has to see what is there. */
export const showControls = (text: string): string => text.replace(controls, nameOf)

/** An equivalent JSON text without the characters that JSON allows but that control a terminal. */
export const escapeControls = (json: string): string =>
  json.replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
