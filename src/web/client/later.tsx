/** Loads a part of the page when it is first shown. */
import type { FunctionComponent } from "preact"
import { useEffect, useState } from "preact/hooks"
import { Problem } from "./parts.tsx"

export const Later = <Props extends object>({
  given,
  load
}: {
  readonly load: () => Promise<FunctionComponent<Props>>
  readonly given: Props
}) => {
  const [part, setPart] = useState<{ readonly Part: FunctionComponent<Props> } | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  useEffect(() => {
    load().then(
      (Part) => setPart({ Part }),
      () => setProblem("This part of the page could not be loaded. Load the page again.")
    )
  }, [])
  if (part === null) return <Problem text={problem} />
  return <part.Part {...given} />
}
