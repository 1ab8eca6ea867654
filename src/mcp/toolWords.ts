/** Messages that commands print, in the words of the tools: a model that has no shell cannot type `beat wait`. */

/** The longest first. What only a person can do (`beat config`, `beat doctor`) stays: the model passes it on. */
const words: ReadonlyArray<readonly [RegExp, string]> = [
  [/'beat pipeline status \S+' shows it, and '[^']*' lists its other commands/g, "TaskStatus shows it"],
  [/'beat schedule status \S+' shows it, and '[^']*' lists[^.]*/g, "Schedules with action 'status' shows it"],
  [/'beat (loop |goal )?status \S+' shows it(, and '[^']*' lists[^.]*)?/g, "TaskStatus shows it"],
  // An example of an option: the field before it has the name of the argument.
  [/ \(for example (?:-|beat )[^)]*\)/g, ""],
  [/, or look into beat workspace path \S+/g, ""],
  [/beat run --timeout/g, "DelegateTask with 'timeoutMs'"],
  [/beat run --stall/g, "DelegateTask with 'stallMs'"],
  [/beat run --isolate/g, "DelegateTask with 'isolate'"],
  [/'?beat run --times'?/g, "DelegateTask with 'times'"],
  [/beat run --give-up/g, "a setting of the person"],
  [/beat run --retries (\d+)/g, "DelegateTask with 'retries': $1"],
  [/beat run -a shell '[^']*'/g, "DelegateTask with the agent 'shell'"],
  [/beat resume (\S+) --fresh/g, "DelegateTask with 'continueFrom' $1"],
  [/beat resume (\S+)/g, "RetryTask $1 with mode 'resume'"],
  [/beat loop status (\S+)/g, "TaskStatus of its task"],
  [/beat pipeline status \S+/g, "TaskStatus shows its steps"],
  // DelegateTask gives the ids of the tasks, and so does TaskStatus.
  [/'beat pipeline list' shows the ids/g, "TaskStatus lists the newest tasks, and shows the pipeline of each"],
  [/beat pipeline run FILE/g, "DelegateTask with 'tasks'"],
  [/beat schedule cancel/g, "Schedules with action 'cancel'"],
  [/beat schedule create --help/g, "Schedules with action 'create'"],
  [/'beat schedule list( --all)?'/g, "Schedules with action 'list'"],
  [/'beat schedule edit[^']*'/g, "a new schedule"],
  [/beat (loop|goal) "[^"]*" --until "[^"]*"/g, "DelegateTask with 'loop'"],
  [/'beat (list|loop list)' shows/g, "TaskStatus shows"],
  [/'beat agents list' shows/g, "ListAgents shows"],
  [/'beat merge ID'/g, "MergeTask"],
  [/beat (list|status)\b/g, "TaskStatus"],
  [/beat wait\b/g, "WaitTasks"],
  [/beat logs\b/g, "TaskLogs"],
  [/beat retry\b/g, "RetryTask"],
  [/beat cancel\b/g, "CancelTask"],
  [/beat edit\b/g, "EditTask"],
  [/beat run( "[^"]*")?/g, "DelegateTask"],
  [/To end what it has begun: beat doctor --fix/g, "The next MergeTask ends what it has begun"],
  [/ Merge into it: --into \S+/g, ""],
  [/ Make it: --branch \S+/g, ""],
  [/a longer --for/g, "a longer 'for'"],
  [/leave out --isolate/g, "leave out 'isolate'"],
  [/use --no-isolate/g, "use 'isolate': false"],
  [/ (Name one|Name the one to merge into): --into BRANCH[^.]*/g, " Check one out"],
  [/; --base tree takes/g, "; 'base' \"tree\" takes"],
  [/To start after it: --after (\S+)/g, "To start after it: 'dependsOn' $1"],
  [/or start a new session with --fresh/g, "or use mode 'fresh'"],
  [/Shorten --env/g, "Shorten 'env'"],
  [/: -m is ignored/g, ": 'model' is ignored"],
  [/Name another model with -m/g, "Name another 'model'"],
  [/use another agent with -a\b/g, "name another 'agent'"],
  [/the MCP tool AskPerson or 'beat ask'/g, "AskPerson"],
  [/See its size with --stat, and its files with --name-only/g, "Call again with 'maxBytes': 0 for its files alone"]
]

export const toolWords = (text: string): string =>
  words.reduce((told, [said, instead]) => told.replace(said, instead), text)
