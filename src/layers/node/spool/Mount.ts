/**
 * Mounts a workspace over the repository that it was cut from, for one agent alone: what the agent writes to a path of the
 * repository lands in the workspace. Linux only, by the namespaces of an ordinary user; `unshare` is part of util-linux.
 */

import { spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import { isAtOrBelow } from "../../../domain/isAtOrBelow.ts"
import type { WorkPlace } from "../../../services/Queue.ts"

type Command = readonly [string, ...ReadonlyArray<string>]

/**
 * $1 workspace   $2 repository   $3 directory to enter   $4 user   $5 group   then the agent.
 * The second `unshare` gives the agent its own user back, and none of the rights that the mount needed.
 */
const asUser = `mount --bind "$1" "$2" && cd "$3" && backbeat_user=$4 backbeat_group=$5 && shift 5 &&
exec unshare -U --map-user="$backbeat_user" --map-group="$backbeat_group" -- "$@"`

/** Root keeps its user: in a separate namespace it could not write the files of others. */
const asRoot = `mount --bind "$1" "$2" && cd "$3" && shift 5 && exec "$@"`

const userId = () => process.getuid?.() ?? 0
const groupId = () => process.getgid?.() ?? 0

const within = (workspace: string, over: string, directory: string, agent: Command): Command => {
  const [user, group] = [userId(), groupId()]
  const options = user === 0 ? ["-m"] : ["-Urm"]
  const script = user === 0 ? asRoot : asUser
  return [
    "unshare",
    ...options,
    "--propagation",
    "private",
    "--",
    "/bin/sh",
    "-c",
    script,
    "backbeat",
    workspace,
    over,
    directory,
    String(user),
    String(group),
    ...agent
  ]
}

/** The command of the agent, with the mount before it where there is one. */
export const mounted = (place: WorkPlace | undefined, agent: Command): Command =>
  place === undefined || place.over === null ? agent : within(place.workspace, place.over, place.directory, agent)

/** The answer of this process: what a kernel allows does not change while it runs. */
let known: boolean | null = null

/** A mount takes 30 ms; a machine that needs longer goes without. */
const patienceMs = 5000

/** Whether this user may mount for one process alone. Some systems forbid it, as Ubuntu 24.04 does by AppArmor. */
const canMount: Effect.Effect<boolean> = Effect.suspend(() => {
  if (known !== null) return Effect.succeed(known)
  if (process.platform !== "linux") return Effect.succeed(false)
  const [program, ...args] = within("/proc", "/proc", "/", ["true"])
  return Effect.async<boolean>((resume) => {
    const child = spawn(program, args, { stdio: "ignore", timeout: patienceMs, killSignal: "SIGKILL" })
    const settle = (answer: boolean) => {
      known = answer
      resume(Effect.succeed(answer))
    }
    child.once("error", () => settle(false))
    child.once("exit", (code) => settle(code === 0))
  })
})

const liesIn = (top: string, path: string | null): boolean => path !== null && isAtOrBelow(path, top)

/** Why a workspace cannot be mounted over the repository `over`, else null. */
export const mountObstacle = (
  over: string,
  userHome: string | null,
  backbeatHome: string
): Effect.Effect<string | null> => {
  // The mount hides what git does not track: the prompt and the output of the task, and the credentials of the agent.
  if (liesIn(over, backbeatHome)) {
    return Effect.succeed("the repository contains the home of Backbeat, which the mount would hide")
  }
  if (liesIn(over, userHome)) {
    return Effect.succeed("the repository contains your home directory, which the mount would hide")
  }
  return Effect.map(canMount, (can) => (can ? null : "this system does not let it mount the workspace"))
}
