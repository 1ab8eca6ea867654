/** How long to fuzz: briefly in the suite, `BACKBEAT_FUZZ=100` times as long on request. */

const factor = Number(process.env.BACKBEAT_FUZZ ?? "1")

/** Runs of a property. fast-check prints the seed of one that fails. */
export const runs = (inSuite: number): number => Math.max(1, Math.round(inSuite * (factor > 0 ? factor : 1)))

/** Milliseconds that a test with so many runs may take, on a machine with a load of ten as well. */
export const patience = 300_000 * Math.max(1, factor)
