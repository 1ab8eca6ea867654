/** The form that submits a task. */
import { useRef, useState } from "preact/hooks"
import type { Submitted } from "../api/TasksApi.ts"
import { post } from "./Api.ts"
import { Heading, Problem } from "./parts.tsx"
import { info } from "./State.ts"

export const Submit = () => {
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  // A second press, or a retry after a lost answer, is the same task.
  const key = useRef(crypto.randomUUID())
  const server = info.value
  if (server === null) return null
  const send = async (event: SubmitEvent & { readonly currentTarget: HTMLFormElement }) => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const text = (name: string) => String(fields.get(name) ?? "").trim()
    const given = Object.fromEntries(
      ["agent", "model", "directory"].flatMap((name) => (text(name) === "" ? [] : [[name, text(name)]]))
    )
    setBusy(true)
    setProblem(null)
    try {
      const { task } = await post<Submitted>(
        "/tasks",
        {
          ...given,
          prompt: String(fields.get("prompt") ?? ""),
          ...(fields.get("isolate") === null ? {} : { isolate: true })
        },
        key.current
      )
      location.hash = `#/task/${task.id}`
    } catch (error) {
      key.current = crypto.randomUUID()
      setProblem(error instanceof Error ? error.message : String(error))
      setBusy(false)
    }
  }
  const standard = server.agents.find((agent) => agent.default)?.name ?? ""
  return (
    <form class="submit" onSubmit={send}>
      <Heading title="New task">New task</Heading>
      <label>
        What to do
        <textarea name="prompt" rows={8} required />
      </label>
      <label>
        Agent
        <select name="agent" defaultValue={standard}>
          {standard === "" && <option value="">the default</option>}
          {server.agents.map(({ name, path, title }) => (
            <option key={name} value={name}>
              {title}
              {path === null ? " (not installed)" : ""}
            </option>
          ))}
        </select>
      </label>
      <label>
        Model (optional)
        <input name="model" />
      </label>
      <label>
        Directory
        <input name="directory" placeholder={server.directory} />
      </label>
      <label class="check">
        <input type="checkbox" name="isolate" /> In a separate git workspace
      </label>
      <Problem text={problem} />
      <button type="submit" class="main" disabled={busy}>
        {busy ? "Submitting …" : "Submit"}
      </button>
    </form>
  )
}
