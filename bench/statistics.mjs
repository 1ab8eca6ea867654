/** What a handful of measurements says: the middle, and how far the others lie from it. */

/** The value below which a share of the others lies, between its neighbours where it falls between two. */
export const percentile = (values, share) => {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const below = Math.floor(at)
  const above = Math.ceil(at)
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below)
}

export const median = (values) => percentile(values, 0.5)

/** Median and spread: the tenth and the ninetieth percentile. */
export const summary = (values) => ({
  median: median(values),
  p10: percentile(values, 0.1),
  p90: percentile(values, 0.9),
  n: values.length
})
