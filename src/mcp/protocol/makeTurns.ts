/**
 * Lets calls begin one after another, with a look at the input between them. Hundreds of calls that arrive together would otherwise
 * begin in one go, and a ping behind them would wait for seconds.
 */

/** `later` runs a function after the process has read its input. The result returns when it is the caller's turn to begin. */
export const makeTurns = (later: (run: () => void) => void): (() => Promise<void>) => {
  // At most as many as the transport leaves open.
  const waiting: Array<() => void> = []
  const next = () => {
    waiting.shift()?.()
    if (waiting.length > 0) later(next)
  }
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve)
      if (waiting.length === 1) later(next)
    })
}
