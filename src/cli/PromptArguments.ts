/** The positional arguments of commands that take a prompt: the prompt, and `-` for piped input. */
import * as Args from "@effect/cli/Args"
import * as Option from "effect/Option"

export const promptArguments = Args.all({
  prompt: Args.text({ name: "prompt" }).pipe(
    Args.withDescription("The prompt, in quotes; '-' or no prompt reads it from stdin"),
    Args.optional
  ),
  stdin: Args.text({ name: "-" }).pipe(
    Args.withDescription("Append stdin to the prompt, even if another process reads stdin too"),
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
