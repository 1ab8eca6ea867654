/** What a schedule starts, as it was handed over: for capturing it again with something changed. */
import type { Work } from "../../domain/schedule/Schedule.ts"
import type { Submission } from "../tasks/prepareTask.ts"
import type { Submitter } from "../tasks/Submitter.ts"
import { givenWith, sameSubmission, submittersEnvironment } from "../tasks/sameSubmission.ts"

/** Null for a pipeline and a loop. The environment is the captured one, without what the config had added to it. */
export const recapture = (
  work: Work,
  submitter: Submitter
): { readonly submission: Submission; readonly submitter: Submitter } | null => {
  if (work.kind === "pipeline" || work.task.launch.loop !== undefined) return null
  const { task } = work
  const environment = submittersEnvironment(task)
  return {
    submission: { ...sameSubmission(task), ...givenWith(task), otherPath: submitter.environment.PATH },
    submitter: { ...submitter, environment, depth: Math.max(submitter.depth, task.depth) }
  }
}
