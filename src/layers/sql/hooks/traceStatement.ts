/** The statements that give what spans are made of, one document each. In a file apart, which is loaded where a hook exports traces. */
import type { Notice } from "../../../domain/events/Notice.ts"

const traced = (alias: string) =>
  `json_object('id', ${alias}.id, 'rootId', ${alias}.root_id, 'pipelineId', ${alias}.pipeline_id, 'traceparent', ${alias}.traceparent)`

/** A task with so many claims that they do not fit into one message keeps the first of them. */
const ofTask = `
  SELECT json_object(
    'id', own.id, 'rootId', own.root_id, 'pipelineId', own.pipeline_id, 'traceparent', own.traceparent,
    'agent', own.agent, 'model', own.model, 'status', own.status, 'cause', own.cause, 'exitCode', own.exit_code,
    'signal', own.signal, 'failureClass', own.failure_class, 'attempt', own.attempt, 'parentId', own.parent_id,
    'group', own."group", 'createdAt', own.created_at, 'endedAt', own.ended_at, 'labels', own.labels, 'usage', own.usage,
    'claims', (
      SELECT json_group_array(json_object('id', claim_id, 'at', claimed_at, 'releasedAt', released_at, 'released', released,
        'window', "window", 'resetsAt', resets_at, 'wakes', wakes))
      FROM (
        SELECT claim.claim_id, claim.claimed_at, claim.released_at, claim.released, parks."window", parks.resets_at,
          EXISTS (SELECT 1 FROM wakes WHERE wakes.claim_id = claim.claim_id AND parked_at IS NOT NULL) AS wakes
        FROM claim_history claim LEFT JOIN parks ON parks.claim_id = claim.claim_id
        WHERE claim.task_id = own.id ORDER BY claim.n LIMIT 1000
      )
    ),
    'events', (
      SELECT json_group_array(json_object('name', name, 'at', at)) FROM (
        SELECT 'asks' AS name, asked_at AS at, id FROM questions WHERE task_id = own.id
        UNION ALL
        SELECT 'answered', answered_at, id FROM questions WHERE task_id = own.id AND answered_at IS NOT NULL
        ORDER BY at, id LIMIT 1000
      )
    ),
    'links', (
      SELECT json_group_array(${traced("above")}) FROM tasks above
      WHERE above.id IN (SELECT own.retry_of UNION ALL SELECT upstream_id FROM task_dependencies WHERE task_id = own.id)
    )
  ) AS facts
  FROM tasks own WHERE own.id = ? AND own.ended_at IS NOT NULL`

/** \`join\` finds one of its tasks. */
const ofWork = (table: string, join: string) => `
  SELECT json_object('id', own.id, 'createdAt', own.created_at, 'task', ${traced("tasks")}) AS facts
  FROM ${table} own ${join} WHERE own.id = ? ORDER BY tasks.seq LIMIT 1`

const works: Readonly<Record<string, string>> = {
  "pipeline-ended": ofWork("pipelines", "JOIN tasks ON tasks.pipeline_id = own.id"),
  "loop-ended": ofWork(
    "loops",
    `JOIN loop_round_tasks one ON one.loop_id = own.id AND one.round = 1 AND one.position = 0
    JOIN tasks ON tasks.id = one.task_id`
  ),
  "contest-ended": ofWork(
    "contests",
    `JOIN contest_tasks one ON one.contest_id = own.id AND one.number = 1 AND one.position = 0
    JOIN tasks ON tasks.id = one.task_id`
  ),
  "merge-ended": ofWork("merges", "JOIN tasks ON tasks.id = own.task_id")
}

/** The statement, with the id that it is asked with; null: a notice that ends nothing. */
export const traceStatement = ({
  kind,
  pipelineId,
  subject,
  taskId
}: Notice): readonly [text: string, id: string] | null => {
  const ends = kind === "ended" || kind === "retried"
  const text = ends ? ofTask : works[kind]
  const id = ends ? taskId : (subject ?? pipelineId)
  return text === undefined || id === null ? null : [text, id]
}
