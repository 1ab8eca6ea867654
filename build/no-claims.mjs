/** In the place of layers/sql/queue/claim.ts in the light bundle, of which no command claims a task: see `noClaims` in build.mjs. */
const claims = () => {
  throw new Error("a light command claims no task")
}
export const makeClaim = () => ({ next: claims, take: claims })
