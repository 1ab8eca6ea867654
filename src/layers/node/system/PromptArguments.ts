/** Puts the prompt into an agent's arguments, or the name of the file that holds it where it does not fit. */
import type { Launch } from "../../../domain/task/NewTask.ts"

/** Linux takes arguments of up to 128 kB each; this leaves room for the text around the prompt. */
const maxArgumentBytes = 100_000

/** Neither too long for an argument nor holding the byte that ends one. */
const fits = (argument: string): boolean =>
  !argument.includes("\0") && Buffer.byteLength(argument, "utf8") <= maxArgumentBytes

/** The arguments with `{prompt}` and `{promptFile}` filled in at the positions where the launch has them. */
export const fillArguments = (
  launch: Pick<Launch, "args" | "promptAt">,
  prompt: string,
  promptFile: string
): ReadonlyArray<string> => {
  // One pass: braces that the prompt itself holds stay as they are.
  const fill = (argument: string, text: string): string =>
    argument.replace(/\{prompt(File)?\}/g, (_, file) => (file === undefined ? text : promptFile))
  const instead = `Your instructions are too long for the command line. Read the whole file ${promptFile} and do what it says.`
  return launch.args.map((argument, position) => {
    if (!launch.promptAt.includes(position)) return argument
    const filled = fill(argument, prompt)
    return fits(filled) ? filled : fill(argument, instead)
  })
}
