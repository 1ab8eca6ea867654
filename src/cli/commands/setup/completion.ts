/** `beat completion SHELL` prints a script; the script asks the hidden `beat __complete` what fits. */
import * as Args from "@effect/cli/Args"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import { Agents } from "../../../services/Agents.ts"
import { Loops } from "../../../services/Loops.ts"
import { Pipelines } from "../../../services/Pipelines.ts"
import { Schedules } from "../../../services/Schedules.ts"
import { Tasks } from "../../../services/Tasks.ts"
import { Stores } from "../../framework/Access.ts"
import { Caller } from "../../framework/Caller.ts"
import { type Command, command } from "../../framework/Command.ts"
import type { LoadedTree } from "../../framework/CommandTree.ts"
import { type Candidate, completionsOf, Sources } from "../../framework/Complete.ts"
import { ExitCode } from "../../framework/ExitCode.ts"
import { Terminal } from "../../framework/Terminal.ts"
import { cut } from "../../output/Layout.ts"
import { plain } from "../../output/TaskTable.ts"

const newest = { status: [], agent: null, labels: {}, directory: null, parentId: null, since: null, before: null }

const taskCandidates = Effect.gen(function* () {
  const stores = yield* Stores
  const page = yield* Effect.flatMap(Tasks, (tasks) => tasks.list({ ...newest, limit: 30 })).pipe(
    Effect.provide(stores.read)
  )
  return page.tasks.map(
    (task): Candidate => ({ value: task.id, description: `${task.status}: ${cut(plain(task.title), 50)}` })
  )
})

const pipelineCandidates = Effect.gen(function* () {
  const stores = yield* Stores
  const page = yield* Effect.flatMap(Pipelines, (pipelines) =>
    pipelines.list({ status: [], limit: 30, before: null })
  ).pipe(Effect.provide(stores.read))
  return page.pipelines.map(
    ({ id, name, status }): Candidate => ({ value: id, description: `${status}: ${cut(plain(name), 50)}` })
  )
})

const scheduleCandidates = Effect.gen(function* () {
  const stores = yield* Stores
  const schedules = yield* Effect.flatMap(Schedules, (all) => all.list({ status: [], limit: 30, before: null })).pipe(
    Effect.provide(stores.read)
  )
  return schedules.map(
    ({ id, name, status, title }): Candidate => ({
      value: name === null || !/^[\w.-]+$/.test(name) ? id : name,
      description: `${status}: ${cut(plain(title), 50)}`
    })
  )
})

const loopCandidates = Effect.gen(function* () {
  const stores = yield* Stores
  const { loops } = yield* Effect.flatMap(Loops, (all) =>
    all.list({ status: [], goals: false, limit: 30, before: null })
  ).pipe(Effect.provide(stores.read))
  return loops.map(
    ({ id, status, title }): Candidate => ({ value: id, description: `${status}: ${cut(plain(title), 50)}` })
  )
})

const agentCandidates = Effect.gen(function* () {
  const agents = yield* Agents
  const { environment } = yield* Caller
  return (yield* agents.list(environment)).map(
    (agent): Candidate => ({ value: agent.name, description: agent.path === null ? "not installed" : agent.title })
  )
})

/** Never fails and prints no message: the shell calls it while a person types a line. */
export const complete = (tree: Effect.Effect<LoadedTree>): Command =>
  command({
    name: "__complete",
    section: "hidden",
    summary: "Print completion candidates for a shell",
    options: Options.none,
    args: Args.repeated(Args.text({ name: "word" })),
    run: Effect.fn("beat.complete")(function* (_, words) {
      const terminal = yield* Terminal
      const context = yield* Effect.context<Stores | Agents | Caller>()
      const found = yield* completionsOf(yield* tree, words).pipe(
        Effect.provideService(Sources, {
          // Without a store there are no candidates, which is not an error.
          tasks: Effect.orElseSucceed(Effect.provide(taskCandidates, context), () => []),
          pipelines: Effect.orElseSucceed(Effect.provide(pipelineCandidates, context), () => []),
          schedules: Effect.orElseSucceed(Effect.provide(scheduleCandidates, context), () => []),
          loops: Effect.orElseSucceed(Effect.provide(loopCandidates, context), () => []),
          agents: Effect.orElseSucceed(Effect.provide(agentCandidates, context), () => [])
        })
      )
      if (found.length > 0) {
        yield* terminal.print(found.map(({ description, value }) => `${value}\t${description}`).join("\n"))
      }
      return ExitCode.ok
    })
  })

export const completion = command({
  name: "completion",
  aliases: ["completions"],
  section: "machine",
  summary: "Print a script that completes commands, task ids and agents",
  examples: [
    ["beat completion bash > ~/.local/share/bash-completion/completions/beat", "bash"],
    ["beat completion zsh > ~/.zfunc/_beat", "zsh, with ~/.zfunc in fpath before compinit"],
    ["beat completion fish > ~/.config/fish/completions/beat.fish", "fish"]
  ],
  options: Options.none,
  args: Args.choice(
    [
      ["bash", "bash" as const],
      ["zsh", "zsh" as const],
      ["fish", "fish" as const]
    ],
    { name: "shell" }
  ).pipe(Args.withDescription("bash, zsh or fish")),
  run: Effect.fn("beat.completion")(function* (_, shell) {
    const terminal = yield* Terminal
    // A file apart: a shell reads it once.
    const { scripts } = yield* Effect.promise(() => import("../../framework/CompletionScripts.ts"))
    yield* terminal.write(scripts[shell])
    return ExitCode.ok
  })
})
