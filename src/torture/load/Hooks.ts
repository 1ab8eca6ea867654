/** The hook of a torture run: a command that keeps its own journal and fails now and then. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { World } from "../World.ts"

export const hookName = "journal"

/** Files of the journal hold this many notices: under a limit on the size of files a single one would become too large. */
const perFile = 100

/**
 * The journal has a line for the start, with the id, the number of the notice, what it says and a sum of the whole message, and a line
 * for the end. Some notices are refused when they come first: by 75, which may be tried for a day, or by 1. A worker that was killed
 * before it had written the message leaves nothing on stdin.
 */
export const hookScript = (root: string): string => `
seq=$BACKBEAT_EVENT_SEQ
set -- $(cksum)
note() { echo "$BACKBEAT_EVENT_ID $seq $*" >>"${root}/journal/hook.$((seq / ${perFile}))"; }
note begin "$BACKBEAT_EVENT_KIND" "$BACKBEAT_EVENT_TASK" "$BACKBEAT_EVENT_STATUS" "$1" "$2"
code=0
case $((seq % 8)) in
  3) mkdir "${root}/journal/hook-refused-$seq" 2>/dev/null && code=75 ;;
  5) mkdir "${root}/journal/hook-refused-$seq" 2>/dev/null && code=1 ;;
esac
[ "$2" != 0 ] || code=75
note end "$code"
exit "$code"
`

/** Milliseconds before the second attempt. */
const retryMs = 50

/** Before anything else happens, so that it gets every notice. */
export const addHook = (world: World) =>
  Effect.gen(function* () {
    const script = join(world.root, "hook.sh")
    writeFileSync(script, hookScript(world.root))
    const args = ["hooks", "add", hookName, "--on", "ended,retried", "--run", `exec sh '${script}'`]
    const { code, stderr } = yield* Effect.promise(() => world.start(args).finished)
    if (code !== 0) return yield* Effect.dieMessage(`beat hooks add: ${code} ${stderr}`)
    const file = join(world.home, "config.json")
    const config = JSON.parse(readFileSync(file, "utf8"))
    const hook = config.hooks?.[hookName]
    if (hook === undefined) {
      world.chronicle.breach("there is one queue", null, "the settings of the home do not have the hook that was added")
      return
    }
    hook.retryMs = retryMs
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
  })
