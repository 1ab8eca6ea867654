/**
 * When the next frame may be drawn: at most ten in a second, and none before the terminal has shown the one before. Times are of a
 * clock that cannot be set: by another one, a clock that is set back would stop the screen for as long.
 */

/** Time between two frames, in milliseconds; longer without the focus. */
const frameMs = 100
const blurredMs = 5000

/** A terminal that answers at all has this long for one frame, in milliseconds. */
const patienceMs = 10_000

/** After this many frames without an answer, the terminal is taken for one that does not answer. */
const mostUnanswered = 3

/**
 * Terminals answer DSR (`CSI 5 n`) with `CSI 0 n` once they have shown what came before it. Between this process and a slow terminal
 * there may be 64 KB in the kernel alone: without the question a screen over a slow line would show what was true minutes ago.
 */
export const question = "\u001b[5n"
export const answer = "\u001b[0n"

export const makePacing = () => {
  let drawnAt = Number.NEGATIVE_INFINITY
  let focused = true
  /** Whether the terminal has answered; until then it may be one that never does. */
  let answers = false
  let unanswered = 0
  return {
    /** How long to wait, in milliseconds; 0 or less: a frame may be drawn now. */
    rest: (now: number): number => {
      const waits = answers && unanswered > 0
      return drawnAt + Math.max(focused ? frameMs : blurredMs, waits ? patienceMs : 0) - now
    },
    /** A frame was sent. */
    drew: (now: number, asked: boolean): void => {
      drawnAt = now
      unanswered = asked ? unanswered + 1 : 0
      if (unanswered <= mostUnanswered) return
      answers = false
      unanswered = 0
    },
    answered: (): void => {
      answers = true
      unanswered = Math.max(0, unanswered - 1)
    },
    focus: (has: boolean): void => {
      focused = has
    },
    /** The process was stopped: an answer may have gone to another one. */
    restart: (): void => {
      unanswered = 0
    },
    /** Whether an answer is on its way, which the shell should not get. */
    waits: (): boolean => answers && unanswered > 0
  }
}
