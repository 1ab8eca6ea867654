/** What the server tells a model about when to use which tool, and the prompts that people pick. */

export const instructions = `Backbeat runs coding agents (claude, codex, gemini, ... or a shell command) in the background on this machine. A task is stored before DelegateTask returns and goes on when this session ends.

When to delegate: work that takes minutes, can run beside yours, or wants another agent. Not for what you can do at once.

How:
1. DelegateTask with a prompt that stands alone: the agent sees nothing of this conversation. Name files, the goal, how to check it. Several independent tasks go into one call with 'tasks'. Give 'key' when a repeat must not start it twice. Tasks in the same directory see each other's changes.
2. WaitTasks with the ids. While 'pending' is not empty call it again with the cursor it gave: you miss nothing and see nothing twice. Do not poll TaskStatus.
3. The start of each answer comes with the end. TaskResult has all of it. TaskLogs only to see what went wrong or how far it is.

Work that depends on work: 'dependsOn' names tasks that must complete first, by id or, within one call, by 'name'; 'continueFrom' also puts what that task left behind before the prompt. CreatePipeline for steps in order. ScheduleTask for recurring work.

When something fails: 'error' and 'failureClass' say why. auth: ListAgents tells the login command; ask the person. usage-limit: wait until 'failureResetAt' or delegate to another agent. timeout or stalled: split the work, or allow more. Then RetryTask, ResumeTask to go on in the agent's own session, or DelegateTask with a better prompt.

Queued and not starting: TaskStatus with the id says what it waits for.

CancelTask ends a task with all its processes; what it delegated goes on unless 'tree' is true.

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
      { name: "task", description: "What is to be done", required: true },
      { name: "agent", description: "Which agent; else the default", required: false }
    ],
    text: ({ agent, task }) =>
      `Delegate this with DelegateTask${agent === undefined || agent === "" ? "" : ` to the agent '${agent}'`}:

${task ?? ""}

Write a prompt that stands alone: the goal, the files and facts from this conversation that matter, and how the agent can check its work. If it falls into parts that do not depend on each other, delegate them as several tasks. Then wait with WaitTasks and tell me in a few sentences what came out, what you checked, and what is left.`
  },
  {
    name: "review-results",
    title: "Review results",
    description: "Look at what background tasks have done",
    arguments: [{ name: "ids", description: "Task ids, separated by spaces; else the newest", required: false }],
    text: ({ ids }) =>
      `Review what ${ids === undefined || ids === "" ? "the newest background tasks (TaskStatus without an id lists them)" : `these background tasks have done: ${ids}`}.

For each that has ended read TaskResult. Check its claims against the files and, where it says that tests pass, against a run. Read TaskLogs only where the answer leaves a doubt or the task failed. Then give one line per task: what it did, whether it holds, and what to do next. Propose RetryTask or a new task for what failed, and start nothing before I agree.`
  }
]
