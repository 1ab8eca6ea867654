/** What has to be read for a state of the screen. */
import { selectedOf, type TopState } from "./TopState.ts"
import type { Want } from "./watchQueue.ts"

/** Returns the same object while the request is the same. */
export const wantOf = (state: TopState, before: Want | null): Want => {
  const { columns, filter, limit, mode, pane } = state
  const same =
    before !== null &&
    before.request.filter === filter.filter &&
    before.request.text === filter.text &&
    before.request.limit === limit
  const selected = selectedOf(state)
  const pager = mode.kind === "pager" ? mode : null
  // A task that the filter hides now may still be open on the whole screen.
  const task = pager !== null && selected?.task.id !== pager.taskId ? (before?.task ?? null) : (selected?.task ?? null)
  return {
    request: same ? before.request : { ...filter, limit },
    task,
    pane: pager?.pane ?? pane,
    full: pager !== null,
    columns
  }
}
