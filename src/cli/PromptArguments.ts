/** The positional arguments of commands that take a prompt: the prompt, and `-` for what is piped in with it. */
import * as Args from "@effect/cli/Args"
import * as Option from "effect/Option"

export const promptArguments = Args.all({
  prompt: Args.text({ name: "prompt" }).pipe(
    Args.withDescription("What to do, quoted; '-' or nothing reads it from a pipe"),
    Args.optional
  ),
  stdin: Args.text({ name: "-" }).pipe(
    Args.withDescription("Add what is piped in to the prompt, whatever else reads it"),
    Args.optional
  )
})

interface Words {
  readonly prompt: Option.Option<string>
  readonly stdin: Option.Option<string>
}

export const wordsOf = ({ prompt, stdin }: Words): ReadonlyArray<string> => [
  ...Option.toArray(prompt),
  ...Option.toArray(stdin)
]
