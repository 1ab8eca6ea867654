/** Invariants that a special build can switch off, one at a time, to see that the torture run notices. */

/** Each stands for a promise that the code then breaks. */
export type Mutation =
  // Claiming
  | "over-limit"
  | "start-blocked"
  // Starting
  | "double-start"
  | "requeue-started"
  | "no-adopt"
  // Output
  | "drop-chunk"
  | "skip-drain"
  // Ending
  | "trust-exit-code"
  | "signal-is-success"
  | "lost-is-success"
  | "skip-outbox"
  | "keep-worker"
  | "change-after-end"
  | "skip-sweep"
  | "no-cascade"
  | "no-retry"
  | "keep-edges"
  | "silent-pipeline"
  // Firing
  | "forget-run"
  // Answering
  | "early-success"
  | "early-cancel"
  // Changing
  | "edit-started"
  | "no-checkpoint"

/**
 * Whether this promise is to be broken. In the product the name is replaced by an empty text: it cannot be told to
 * misbehave. `npm run torture:mutations` makes the build in which it is read from `BACKBEAT_MUTATION`.
 */
export const mutated = (name: Mutation): boolean =>
  typeof __BACKBEAT_MUTATION__ !== "undefined" && __BACKBEAT_MUTATION__ === name
