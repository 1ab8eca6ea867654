/** What agents ask a person, with a form for each answer. */
import { useState } from "preact/hooks"
import type { InboxEntry } from "../../programs/questions/inbox.ts"
import { moment, relative } from "../../text/FormatDuration.ts"
import { sanitize } from "../../text/Sanitize.ts"
import { post } from "./Api.ts"
import { Act, Empty, Heading, Problem, TaskLink } from "./parts.tsx"
import { info, type Loaded, now } from "./State.ts"
import { plain } from "./Words.ts"

/** The first answer counts: a later one is told who was first. */
const AnswerForm = ({ again, entry }: { readonly entry: InboxEntry; readonly again: () => void }) => {
  const [text, setText] = useState("")
  const name = `q${entry.id}`
  const send = (answer: string, deny: boolean) => () =>
    post(`/questions/${entry.id}/answer`, { text: answer, deny }).then(again)
  return (
    <div class="ask">
      {entry.options.length > 0 && (
        <fieldset class="together" aria-label={`Options of ${name}`}>
          {entry.options.map((option) => (
            <Act key={option} what={plain(option)} done={`Answered ${name}.`} run={send(option, false)} />
          ))}
        </fieldset>
      )}
      <label>
        {entry.options.length > 0 ? "Another answer" : "Answer"}
        <textarea rows={2} maxLength={20_000} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <div class="bar">
        <Act what="Answer" done={`Answered ${name}.`} disabled={text.trim() === ""} run={send(text.trimEnd(), false)} />
        <Act
          danger
          what={text.trim() === "" ? "Decline" : "Decline, with this reason"}
          done={`Declined ${name}.`}
          run={send(text.trimEnd(), true)}
        />
      </div>
    </div>
  )
}

export const Inbox = ({ loaded }: { readonly loaded: Loaded<{ readonly questions: ReadonlyArray<InboxEntry> }> }) => {
  const { again, error, value } = loaded
  return (
    <>
      <Heading title="Inbox">Inbox</Heading>
      <Problem text={error} />
      {value?.questions.length === 0 && <Empty>No questions are open.</Empty>}
      <ul>
        {value?.questions.map((entry) => (
          <li key={entry.id} class="card">
            <section aria-labelledby={`question-${entry.id}`}>
              <h2 id={`question-${entry.id}`}>
                <span class="badge asks">
                  <span aria-hidden="true">?</span> q{entry.id}
                </span>{" "}
                {entry.task === null ? plain(entry.askedBy) : <TaskLink task={entry.task} />}
              </h2>
              <p class="facts">
                {entry.task !== null && <span>{entry.task.agent}</span>}
                <time title={moment(entry.askedAt)}>asked {relative(entry.askedAt, now.value)}</time>
                <span>{entry.parked ? "its task is parked until the answer" : "its agent waits now"}</span>
              </p>
              <p class="question">{sanitize(entry.text)}</p>
              {info.value?.readOnly === false && <AnswerForm entry={entry} again={again} />}
            </section>
          </li>
        ))}
      </ul>
    </>
  )
}
