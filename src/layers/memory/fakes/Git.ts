/** A git that knows the repositories that a test sets. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import type { GitState } from "../../../domain/task/Checkpoint.ts"
import { Git } from "../../../services/Git.ts"

/** How a test changes what git sees. */
export class GitControl extends Context.Tag("backbeat/memory/GitControl")<
  GitControl,
  {
    /** From now on the directory is in a repository with this state. */
    readonly set: (directory: string, state: GitState) => Effect.Effect<void>
    /** How often git was asked. */
    readonly asked: Effect.Effect<number>
  }
>() {}

export const layer = Layer.effectContext(
  Effect.gen(function* () {
    const states = yield* Ref.make<ReadonlyMap<string, GitState>>(new Map())
    const asked = yield* Ref.make(0)
    const look = (directory: string) =>
      Effect.zipRight(
        Ref.update(asked, (count) => count + 1),
        Effect.map(Ref.get(states), (all) => all.get(directory) ?? null)
      )
    const git = Git.of({
      workTree: (directory) =>
        Effect.map(
          Ref.get(states),
          (all) => Array.from(all.keys()).find((root) => `${directory}/`.startsWith(`${root}/`)) ?? directory
        ),
      head: (directory) =>
        Effect.map(look(directory), (state) => state && { branch: state.branch, commit: state.commit }),
      state: look,
      diffStat: (directory, since) =>
        Effect.map(look(directory), (state) => state && `${since.commit ?? "nothing"}..${state.commit ?? "nothing"}`)
    })
    const control = GitControl.of({
      set: (directory, state) => Ref.update(states, (all) => new Map(all).set(directory, state)),
      asked: Ref.get(asked)
    })
    return Context.make(Git, git).pipe(Context.add(GitControl, control))
  })
)
