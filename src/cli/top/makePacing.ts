/**
 * When the next frame may be drawn: at most ten in a second, and none before the terminal has shown the one before. Times are of a
 * clock that cannot be set: by another one, a clock that is set back would stop the screen for as long.
 */

/** Time between two frames, in milliseconds; longer without the focus. */
const frameMs = 100
const blurredMs = 5000

/** A terminal that answers at all has this long for one frame, in milliseconds. */
const patienceMs = 10_000

/** After this many frames in a row without an answer in time, the terminal is taken for one that does not answer. */
const mostMissed = 3

/** Of the frames before the first answer, the screen waits for the answers of this many. */
const mostCounted = 3

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
  /** Frames whose answer may still come. */
  let unanswered = 0
  /** Frames in a row whose answer did not come in time. */
  let missed = 0
  return {
    /** How long to wait, in milliseconds; 0 or less: a frame may be drawn now. */
    rest: (now: number): number => {
      const waits = answers && unanswered > 0
      return drawnAt + Math.max(focused ? frameMs : blurredMs, waits ? patienceMs : 0) - now
    },
    /** A frame was sent. */
    drew: (now: number, asked: boolean): void => {
      drawnAt = now
      if (answers && unanswered > 0) {
        // Its time is over. If it stayed counted, every later frame would wait for an answer that was lost.
        unanswered = 0
        missed += 1
        answers = missed < mostMissed
      }
      unanswered = asked ? Math.min(unanswered + 1, mostCounted) : 0
    },
    answered: (): void => {
      answers = true
      missed = 0
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
