/** The notices: what happened, numbered without a gap, written by triggers in the transactions that make it happen. */
import * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"

export default Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // `subject` is what a notice is about where that is not a task or pipeline: an account, a schedule, a loop, a contest, a merge.
  yield* sql`
    CREATE TABLE notices (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      kind TEXT NOT NULL CHECK (kind IN ('queued', 'started', 'requeued', 'parked', 'retried', 'ended',
        'pipeline-ended', 'loop-ended', 'contest-ended', 'merge-ended', 'limit', 'limit-over', 'out-of-credit', 'budget-warned',
        'budget-tripped', 'schedule-missed', 'schedule-skipped', 'paused', 'resumed', 'asks', 'answered')),
      at INTEGER NOT NULL,
      task_id TEXT,
      pipeline_id TEXT,
      subject TEXT,
      data TEXT NOT NULL DEFAULT '{}'
    ) STRICT
  `
  // In blocks: each costs a moment, and the table has a bound whether a worker lives or not.
  yield* sql`
    CREATE TRIGGER notices_kept AFTER INSERT ON notices WHEN NEW.seq % 500 = 0 BEGIN
      DELETE FROM notices WHERE seq <= NEW.seq - 100000;
    END
  `

  yield* sql`
    CREATE TRIGGER notices_queued AFTER INSERT ON tasks BEGIN
      INSERT INTO notices (kind, at, task_id, pipeline_id) VALUES ('queued', NEW.created_at, NEW.id, NEW.pipeline_id);
    END
  `
  // By the claim: the worker may be killed before it has written that the agent runs.
  yield* sql`
    CREATE TRIGGER notices_started AFTER INSERT ON claims BEGIN
      INSERT INTO notices (kind, at, task_id, pipeline_id)
      VALUES ('started', NEW.claimed_at, NEW.task_id, (SELECT pipeline_id FROM tasks WHERE id = NEW.task_id));
    END
  `
  // A task that a limit puts back has another time, and a notice with more to say.
  yield* sql`
    CREATE TRIGGER notices_requeued AFTER UPDATE OF status ON tasks
    WHEN OLD.status = 'running' AND NEW.status = 'queued' AND NEW.parked_at IS NULL BEGIN
      INSERT INTO notices (kind, at, task_id, pipeline_id)
      VALUES ('requeued', CAST(round(unixepoch('subsec') * 1000) AS INTEGER), NEW.id, NEW.pipeline_id);
    END
  `
  yield* sql`
    CREATE TRIGGER notices_parked AFTER INSERT ON parks BEGIN
      INSERT INTO notices (kind, at, task_id, pipeline_id, subject, data)
      VALUES ('parked', NEW.at, NEW.task_id, (SELECT pipeline_id FROM tasks WHERE id = NEW.task_id), NEW.account,
        json_object('window', NEW."window", 'resetsAt', NEW.resets_at));
    END
  `
  // Every end is in the outbox, also those of tasks that can no longer start.
  yield* sql`
    CREATE TRIGGER notices_task_ended AFTER INSERT ON outbox WHEN NEW.kind = 'task' BEGIN
      INSERT INTO notices (kind, at, task_id, pipeline_id, data)
      SELECT iif(NEW.retried_by IS NULL, 'ended', 'retried'), NEW.at, NEW.id, pipeline_id, json_object(
        'status', NEW.status, 'cause', NEW.cause, 'failureClass', failure_class, 'exitCode', exit_code,
        'signal', signal, 'retriedBy', NEW.retried_by)
      FROM tasks WHERE id = NEW.id;
    END
  `
  yield* sql`
    CREATE TRIGGER notices_pipeline_ended AFTER INSERT ON outbox WHEN NEW.kind = 'pipeline' BEGIN
      INSERT INTO notices (kind, at, pipeline_id, data)
      VALUES ('pipeline-ended', NEW.at, NEW.id, json_object('status', NEW.status));
    END
  `
  yield* sql`
    CREATE TRIGGER notices_loop_ended AFTER UPDATE OF ended_at ON loops
    WHEN OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL BEGIN
      INSERT INTO notices (kind, at, subject, data)
      VALUES ('loop-ended', NEW.ended_at, NEW.id, json_object('status', NEW.status, 'round', NEW.round));
    END
  `
  yield* sql`
    CREATE TRIGGER notices_contest_ended AFTER UPDATE OF ended_at ON contests
    WHEN OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL BEGIN
      INSERT INTO notices (kind, at, subject, data)
      VALUES ('contest-ended', NEW.ended_at, NEW.id, json_object('status', NEW.status, 'winner', NEW.winner));
    END
  `
  yield* sql`
    CREATE TRIGGER notices_merge_ended AFTER UPDATE OF state ON merges
    WHEN NEW.state <> OLD.state AND NEW.state IN ('merged', 'conflict', 'refused', 'undone')
      AND (OLD.state <> 'undoing' OR NEW.state = 'undone') BEGIN
      INSERT INTO notices (kind, at, task_id, subject, data)
      VALUES ('merge-ended', NEW.changed_at, NEW.task_id, NEW.id, json_object('status', NEW.state));
    END
  `
  // One task at a time asks whether a limit is over: that state of an account begins with the limit and ends with an answer.
  yield* sql`
    CREATE TRIGGER notices_limit AFTER UPDATE OF places ON accounts
    WHEN NEW.places = 1 AND OLD.places IS NOT 1 BEGIN
      INSERT INTO notices (kind, at, subject, data)
      SELECT 'limit', NEW.places_at, NEW.key, json_object('agent', NEW.agent, 'window', "window", 'resetsAt', opens_at)
      FROM lanes WHERE gate = NEW.key AND opens_at > NEW.places_at ORDER BY spare, opens_at DESC LIMIT 1;
    END
  `
  yield* sql`
    CREATE TRIGGER notices_limit_over AFTER UPDATE OF places ON accounts WHEN OLD.places = 1 AND NEW.places = 2 BEGIN
      INSERT INTO notices (kind, at, subject, data)
      VALUES ('limit-over', NEW.places_at, NEW.key, json_object('agent', NEW.agent));
    END
  `
  // The window of a lack of credit stays closed until an answer or a person opens it, however often it is tried.
  yield* sql`
    CREATE TRIGGER notices_out_of_credit AFTER INSERT ON windows WHEN NEW.name = 'credit' AND NEW.closed = 1 BEGIN
      INSERT INTO notices (kind, at, subject, data)
      VALUES ('out-of-credit', NEW.observed_at, NEW.account, json_object('window', NEW.name, 'resetsAt', NEW.resets_at,
        'agent', (SELECT agent FROM accounts WHERE key = NEW.account)));
    END
  `
  yield* sql`
    CREATE TRIGGER notices_out_of_credit_again AFTER UPDATE OF closed ON windows
    WHEN NEW.name = 'credit' AND NEW.closed = 1 AND OLD.closed = 0 BEGIN
      INSERT INTO notices (kind, at, subject, data)
      VALUES ('out-of-credit', NEW.observed_at, NEW.account, json_object('window', NEW.name, 'resetsAt', NEW.resets_at,
        'agent', (SELECT agent FROM accounts WHERE key = NEW.account)));
    END
  `
  yield* sql`
    CREATE TRIGGER notices_budget_warned AFTER UPDATE OF warned_at ON budgets
    WHEN NEW.warned_at IS NOT NULL AND NEW.warned_at IS NOT OLD.warned_at BEGIN
      INSERT INTO notices (kind, at, subject, data)
      VALUES ('budget-warned', NEW.warned_at, NEW.name, json_object('metric', NEW.metric,
        'amount', CASE NEW.metric WHEN 'usd' THEN NEW.amount / 1000000.0 ELSE NEW.amount END,
        'period', NEW.period, 'opensAt', NEW."to"));
    END
  `
  yield* sql`
    CREATE TRIGGER notices_budget_tripped AFTER UPDATE OF tripped_at ON budgets
    WHEN NEW.tripped_at IS NOT NULL AND NEW.tripped_at IS NOT OLD.tripped_at BEGIN
      INSERT INTO notices (kind, at, subject, data)
      VALUES ('budget-tripped', NEW.tripped_at, NEW.name, json_object('metric', NEW.metric,
        'amount', CASE NEW.metric WHEN 'usd' THEN NEW.amount / 1000000.0 ELSE NEW.amount END,
        'period', NEW.period, 'opensAt', NEW."to", 'action', NEW.action));
    END
  `
  yield* sql`
    CREATE TRIGGER notices_paused AFTER INSERT ON gates BEGIN
      INSERT INTO notices (kind, at, task_id, subject, data)
      VALUES ('paused', NEW.at, iif(NEW.scope = 'task', NEW.name, NULL), rtrim(NEW.scope || ' ' || NEW.name),
        json_object('scope', NEW.scope, 'until', NEW.until_at, 'by', NEW.closed_by, 'reason', NEW.reason, 'freeze', NEW.freeze));
    END
  `
  yield* sql`
    CREATE TRIGGER notices_resumed AFTER DELETE ON gates
    WHEN OLD.scope NOT IN ('task', 'pipeline')
      OR (OLD.scope = 'task' AND EXISTS (SELECT 1 FROM tasks WHERE id = OLD.name AND ended_at IS NULL))
      OR (OLD.scope = 'pipeline' AND EXISTS (SELECT 1 FROM pipelines WHERE id = OLD.name)
        AND NOT EXISTS (SELECT 1 FROM outbox WHERE id = OLD.name AND kind = 'pipeline')) BEGIN
      INSERT INTO notices (kind, at, task_id, subject, data)
      VALUES ('resumed', CAST(round(unixepoch('subsec') * 1000) AS INTEGER), iif(OLD.scope = 'task', OLD.name, NULL),
        rtrim(OLD.scope || ' ' || OLD.name),
        json_object('scope', OLD.scope));
    END
  `
  yield* sql`
    CREATE TRIGGER notices_asks AFTER INSERT ON questions BEGIN
      INSERT INTO notices (kind, at, task_id, pipeline_id, subject, data)
      VALUES ('asks', NEW.asked_at, NEW.task_id, (SELECT pipeline_id FROM tasks WHERE id = NEW.task_id), 'q' || NEW.id,
        json_object('text', substr(NEW.text, 1, 200)));
    END
  `
  yield* sql`
    CREATE TRIGGER notices_answered AFTER UPDATE OF state ON questions WHEN OLD.state = 'open' AND NEW.state = 'answered' BEGIN
      INSERT INTO notices (kind, at, task_id, pipeline_id, subject, data)
      VALUES ('answered', NEW.answered_at, NEW.task_id, (SELECT pipeline_id FROM tasks WHERE id = NEW.task_id), 'q' || NEW.id,
        json_object('by', NEW.answered_by, 'denied', NEW.denied));
    END
  `
  yield* sql`
    CREATE TRIGGER notices_schedule AFTER INSERT ON schedule_executions WHEN NEW.status IN ('missed', 'skipped') BEGIN
      INSERT INTO notices (kind, at, subject, data)
      VALUES ('schedule-' || NEW.status, NEW.at, NEW.schedule_id,
        json_object('dueAt', NEW.due_at, 'count', NEW.count, 'reason', NEW.reason));
    END
  `
})
