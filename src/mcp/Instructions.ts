/** What the server tells a model about when to use which tool, and the prompts that people pick. */

export const instructions = `Backbeat runs coding agents (claude, codex, gemini, ... or a shell command) in the background on this machine. A task is stored before DelegateTask returns and continues when this session ends.

When to delegate: work that takes minutes, can run in parallel, or needs another agent. Not for what you can do immediately.

How:
1. Call DelegateTask with a self-contained prompt: the agent sees nothing of this conversation. Name the files, the goal and how to check it. Several independent tasks go into one call with 'tasks'. Give 'key' when a repeat must not start it twice. Tasks in the same directory see each other's changes.
2. Call WaitTasks with the ids. While 'pending' is not empty, call it again with the cursor it returned: you miss nothing and see nothing twice. Do not poll TaskStatus.
3. WaitTasks returns the start of each answer. TaskResult has the full answer. Read TaskLogs only after a failure or to see progress.

Dependencies: 'dependsOn' names tasks that must complete first, by id or, within one call, by 'name'; 'continueFrom' also puts the results of that task before the prompt. CreatePipeline runs steps in order; ScheduleTask is for recurring work.

When something fails: 'error' and 'failureClass' say why. auth: ListAgents shows the login command; ask the person to run it. usage-limit: wait until 'failureResetAt' or delegate to another agent. timeout or stalled: split the work, or allow more time. Then call RetryTask, ResumeTask to continue in the same agent session, or DelegateTask with a better prompt.

When a queued task does not start: TaskStatus with the id shows what it waits for.

CancelTask cancels a task and ends all its processes; tasks that it delegated continue unless 'tree' is true.

Ids may be shortened to a unique beginning; @last is the newest task.`

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
