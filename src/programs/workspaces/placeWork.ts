/** Puts a submission where its work is done: in its directory, in a new workspace, or in that of another task. */
import * as Effect from "effect/Effect"
import type { Environment } from "../../domain/task/NewTask.ts"
import { NotIsolable } from "../../domain/workspace/WorkspaceErrors.ts"
import type { Submission } from "../tasks/prepareTask.ts"
import { submitterOf } from "../tasks/Submitter.ts"
import { inWorkspaceOf } from "./inWorkspaceOf.ts"
import type { Isolation } from "./isolationOf.ts"
import { planWorkspace } from "./planWorkspace.ts"
import { realDirectory } from "./realDirectory.ts"

/** The commands and requests refuse combinations of these in their own words, before anything is placed. */
export interface Place {
  readonly isolation: Isolation
  /** Where the workspace is cut; null: at HEAD. */
  readonly base: string | null
  /** The task whose workspace it is; it comes before the isolation. */
  readonly in: string | null
}

interface PlacedWork {
  readonly work: Submission
  /** What the submitter should know. */
  readonly notes: ReadonlyArray<string>
}

const isolatedBySetting = "isolated, as the setting 'isolate' says: 'beat merge ID' brings its work here"

/** For the submitter who has these options: work that is always isolated is not told to do without. */
export const withOtherwise =
  (otherwise: string) =>
  <A, E, R>(effect: Effect.Effect<A, E | NotIsolable, R>): Effect.Effect<A, E | NotIsolable, R> =>
    Effect.mapError(effect, (error) =>
      error instanceof NotIsolable ? new NotIsolable({ ...error, otherwise }) : error
    )

/** `environment`: that of the submitter, who may see a workspace at the path of its repository. */
export const placeWork = Effect.fn("placeWork")(function* (work: Submission, place: Place, environment: Environment) {
  const placed = (one: Submission, notes: ReadonlyArray<string>): PlacedWork => ({ work: one, notes })
  if (place.in !== null) return placed(yield* inWorkspaceOf(work, place.in, submitterOf(environment)), [])
  if (place.isolation === "none") return placed(work, [])
  const { notes, request } = yield* planWorkspace(
    realDirectory(work.directory, environment),
    place.base ?? "HEAD"
  ).pipe(withOtherwise(place.isolation === "setting" ? "use --no-isolate" : "leave out --isolate"))
  return placed({ ...work, workspace: request }, place.isolation === "setting" ? [isolatedBySetting, ...notes] : notes)
})
