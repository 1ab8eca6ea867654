/** The skill that teaches an agent when and how to hand work to Backbeat, to loop and to wait. */

/** `mark` is in every file of ours. */
export const skillText = (name: string, mark: string): string => `---
name: ${name}
description: Run coding agents and commands in the background with Backbeat. Use it to delegate large or parallel work, to repeat work until a test passes, and to wait for it without using tokens.
---

${mark}

# Backbeat

Backbeat runs agents (claude, codex, gemini, shell commands and others) in the background. Tasks are stored: they survive this session, a crash and
a reboot. Use the MCP tools of the server \`backbeat\` where you have them, otherwise the command \`beat\` (\`beat --help\`, \`--json\` for output).

## When to delegate

- Work that takes minutes, parts that can be done at the same time, or work for another agent.
- Not for what you can do in a few steps: each task starts without your knowledge and has to read everything again.

## How to delegate

1. Write a prompt that is complete in itself: the goal, the files, the facts that matter, and how to check the result.
2. \`DelegateTask\` with \`isolate: true\` gives the task its own git workspace. It starts from the last commit, so commit first, or use \`base: "tree"\`.
   Without isolation, tasks in the same directory change each other's files. From a shell: \`beat run --isolate "..."\`.
3. Several independent tasks go into one call with \`tasks\`.
4. Give \`key\` where a repeat of the call must not start the task twice.

## How to wait

- Inside a task of Backbeat (\`BACKBEAT_TASK_ID\` is set): call \`WakeMe\` and end your turn. Your session is resumed with the results. It costs nothing
  until then. Never sleep or poll.
- Otherwise: \`WaitTasks\`, again with the cursor that it returns, until \`pending\` is empty. From a shell: \`beat wait ID\`.
- A task that waits for a usage limit continues when the limit is over. Do not start it again.

## How to use the results

1. \`TaskResult\` has the answer. Check its claims: read \`TaskDiff\`, run the tests.
2. \`MergeTask\` brings the work of an isolated task in. With \`check\` it does so only if that command passes. A conflict changes nothing.
   Merge tasks that changed the same files one after the other.
3. After a failure read \`error\` and \`failureClass\`, then \`TaskLogs\`. \`RetryTask\` tries again; \`mode: "resume"\` continues the session.

## How to repeat until it is right

- \`DelegateTask\` with \`loop: {"until": "npm test"}\`, or \`beat loop "..." --until "npm test"\`: rounds of work until the command passes.
- With \`score\` and \`better\` it keeps the best round. The command decides, so make it strict, and do not change it in the work.
- A goal that needs several agents: \`beat goal "..." --until CMD --tasks N --budget USD\`. A plan to review first: \`beat plan "..."\`.

## Limits

An answer that starts with \`limit:\` is final: a bound of the person who set the goal. Continue with what you have.
`
