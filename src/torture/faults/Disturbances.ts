/** Faults that kill nothing: another user, a file of output that is emptied, a clock that is set. */
import { chmodSync, readdirSync, readFileSync, truncateSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { from } from "../Dice.ts"
import type { Load } from "../load/Load.ts"
import type { Finished } from "../World.ts"

const isPermitted = ({ code, stderr }: Finished): boolean => code === null || !stderr.startsWith("unshare: ")

/** A command that sees none of the processes, and must not act on them. */
export const lookFromElsewhere = ({ world }: Load, words: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { chronicle } = world
    const finished = yield* Effect.promise(() => world.start(words, { elsewhere: true }).finished)
    if (isPermitted(finished)) chronicle.fault("foreign", 0)
    else chronicle.unable.set("foreign", `no process may unshare its pid namespace here: ${finished.stderr.trim()}`)
    chronicle.note(null, `beat ${words[0]} in another pid namespace: ${finished.code} ${finished.stderr.trim()}`)
  })

/** A user that no system gives tasks to. */
const strangerId = 65_534

/** How long a command of another user may take, in milliseconds: one that is refused takes none. */
const strangerMs = 10_000

/** Permissions are not what keeps the other user out. */
const openTo = (mode: { readonly directory: number; readonly file: number }, { world }: Load): void => {
  chmodSync(world.root, mode.directory)
  chmodSync(world.home, mode.directory)
  for (const name of readdirSync(world.home)) {
    if (/^backbeat\.db(-wal|-shm)?$/.test(name)) chmodSync(join(world.home, name), mode.file)
  }
}

/** Another user, who could read and write every file of the queue. No task may be added, ended or run for that user. */
export const lookAsStranger = (load: Load, words: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { store, world } = load
    const { chronicle } = world
    if (process.geteuid?.() !== 0) {
      chronicle.unable.set("stranger", "only root can start a command as another user")
      return
    }
    if (!store.exists) return
    load.strangers += 1
    openTo({ directory: 0o777, file: 0o666 }, load)
    const running = world.start(words, { user: strangerId })
    const timer = setTimeout(() => running.child.kill("SIGKILL"), strangerMs)
    const { code, signal, stderr } = yield* Effect.promise(() => running.finished)
    clearTimeout(timer)
    load.strangers -= 1
    if (load.strangers === 0) openTo({ directory: 0o700, file: 0o600 }, load)
    chronicle.note(null, `beat ${words[0]} as another user: ${code ?? signal} ${stderr.trim().slice(0, 300)}`)
    // The program itself is in a directory that the other user may not enter.
    if (/Cannot find module|^spawn /m.test(stderr)) {
      chronicle.unable.set("stranger", "another user may not read the program under test")
      return
    }
    // Killed with all the others: it has shown nothing.
    if (code === null) return
    chronicle.fault("stranger", 0)
    if (code === 0 && words[0] !== "list") {
      chronicle.breach("a queue has one user", null, `beat ${words.join(" ")} of another user was not refused`)
    }
  })

/** Seconds since the boot of the machine, as agents note them. */
const uptime = (): number => Number(readFileSync("/proc/uptime", "utf8").split(" ")[0])

interface Printing {
  readonly task_id: string
  readonly claim_id: string
}

/** Empties the file behind stdout of an agent: `> /dev/stdout` below it does the same. Its answer must not be in the stream. */
export const emptyOutput = ({ store, world }: Load, pick: number) =>
  Effect.sync(() => {
    const { chronicle } = world
    const printing = store.rows<Printing>(`
      SELECT claims.task_id, claims.claim_id FROM claims JOIN tasks ON tasks.id = claims.task_id
      WHERE claims.pid IS NOT NULL AND tasks.agent = 'shell' ORDER BY claims.claimed_at
    `)
    for (const { claim_id, task_id } of from(printing, pick)) {
      try {
        chronicle.hurt(task_id, "empty")
        truncateSync(join(world.home, "spool", claim_id, "stdout"))
      } catch {
        // It has ended meanwhile: its files are gone.
        continue
      }
      const times = (chronicle.emptied.get(task_id)?.times ?? 0) + 1
      chronicle.emptied.set(task_id, { times, uptime: uptime() })
      chronicle.fault("empty", 0)
      return
    }
  })

/** Sets the clock of every process of the run, and sets it right after a while. */
export const setClock = (load: Load, aheadMs: number, forMs: number) =>
  Effect.gen(function* () {
    const { world } = load
    if (load.clockSet) return
    load.clockSet = true
    world.chronicle.fault("clock", 0)
    world.chronicle.note(null, `the clock is set ${aheadMs / 60_000} minutes ahead for ${forMs} ms`)
    world.setClock(aheadMs)
    yield* Effect.ensuring(
      Effect.sleep(forMs),
      Effect.sync(() => {
        world.setClock(0)
        load.clockSet = false
      })
    )
  })
