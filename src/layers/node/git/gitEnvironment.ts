/** The environment of every git command that Backbeat runs. */

/** Settings that hold for one command and are written nowhere. */
type GitSettings = Readonly<Record<string, string>>

/**
 * Variables that point git at a repository must not: the directory decides. Git never waits for a person, its messages are in
 * English, and a commit is what it is, also where `git replace` names another one for it. `more` wins.
 */
export const gitEnvironment = (settings: GitSettings, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => {
  const entries = Object.entries(settings)
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_"))),
    LC_ALL: "C",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_COUNT: String(entries.length),
    ...Object.fromEntries(
      entries.flatMap(([key, value], at) => [
        [`GIT_CONFIG_KEY_${at}`, key],
        [`GIT_CONFIG_VALUE_${at}`, value]
      ])
    ),
    ...more
  }
}

/** For what a person reads in a pager of their choice: the directory alone decides which repository is shown. */
export const pagerEnvironment = (given: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(given).filter(([name]) => !name.startsWith("GIT_") || name === "GIT_PAGER"))
