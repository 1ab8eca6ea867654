/** The instructions that tell a model when to use which tool, and the prompts that people pick. */

/** Codex shows its model only the first 250 characters, so the loop of calls comes first. */
export const instructions = `Backbeat runs coding agents or shell commands in the background. Call DelegateTask with a self-contained prompt, then WaitTasks with the ids; while 'pending' is not empty, WaitTasks again with the returned cursor. Tasks continue without this session.

It runs claude, codex, gemini and others that ListAgents shows. Tasks are stored.

When to delegate: work that takes minutes, can run in parallel, or needs another agent. Not for what you can do immediately.

The prompt: the agent sees nothing of this conversation. Name the files, the goal and how to check it. Several independent tasks go into one call with 'tasks'. Give 'key' when a repeat must not start it twice. Tasks in the same directory see each other's changes; 'isolate' gives each a separate git workspace, then TaskDiff shows and MergeTask brings in what it changed. 'loop' repeats a task until a command passes; wait for the loop's id.

The answer: WaitTasks returns the start of it, TaskResult all of it. Read TaskLogs only after a failure or to see progress. Do not poll TaskStatus.

Dependencies: 'dependsOn' names tasks that must complete first, by id or, within one call, by 'name'; 'continueFrom' also puts the results of that task before the prompt. Schedules is for recurring work (cron, every day).

When something fails: 'error' and 'failureClass' say why. auth: ListAgents shows the login command; ask the person to run it. timeout or stalled: split the work, or allow more time. A usage limit is waited out; 'parked' says until when. Then call RetryTask (mode 'resume' continues in the same session), or DelegateTask with a better prompt.

CancelTask cancels a task, pipeline, loop or contest and ends its processes; what these delegated continues unless 'tree' is true.

Ids may be shortened to a unique beginning; @last is the newest task.`

/** The same for the agent of a task, which can end its turn instead of waiting. */
export const instructionsInside = `${instructions}

You run inside a task of Backbeat. To wait for tasks that you delegated, call WakeMe and end your turn: your session is resumed with their results, over restarts and usage limits, and costs nothing in the meantime. Use WaitTasks only for tasks that take less than a minute. Isolated tasks start from the last commit of your directory, so commit first; bring their work in with MergeTask.`

export interface Prompt {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly arguments: ReadonlyArray<{ readonly name: string; readonly description: string; readonly required: boolean }>
  readonly text: (given: Readonly<Record<string, string>>) => string
}

export const prompts: ReadonlyArray<Prompt> = [
  {
    name: "delegate",
    title: "Delegate work",
    description: "Hand work to a background agent and report back",
    arguments: [
      { name: "task", description: "What to do", required: true },
      { name: "agent", description: "Agent to use (default: the default agent)", required: false }
    ],
    text: ({ agent, task }) =>
      `Delegate this with DelegateTask${agent === undefined || agent === "" ? "" : ` to the agent '${agent}'`}:

${task ?? ""}

Write a self-contained prompt: the goal, the files and facts from this conversation that matter, and how the agent can check its work. If the work has independent parts, delegate them as several tasks. Then wait with WaitTasks and tell me in a few sentences what the result is, what you checked, and what is left.`
  },
  {
    name: "review-results",
    title: "Review results",
    description: "Review the work of background tasks",
    arguments: [
      { name: "ids", description: "Task ids, separated by spaces (default: the newest tasks)", required: false }
    ],
    text: ({ ids }) =>
      `Review what ${ids === undefined || ids === "" ? "the newest background tasks (TaskStatus without an id lists them)" : `these background tasks have done: ${ids}`}.

For each task that has ended, read TaskResult. Check its claims against the files and, if it says that tests pass, run the tests. Read TaskLogs only if the answer is unclear or the task failed. Then give one line per task: what it did, whether it is correct, and what to do next. Propose RetryTask or a new task for each failure, and start nothing before I agree.`
  }
]
