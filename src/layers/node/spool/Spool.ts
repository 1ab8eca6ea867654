/** The spool: one private directory per claim, through which the shim, the agent and any Backbeat process talk. */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync } from "node:fs"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { SpawnFailed } from "../../../domain/Errors.ts"
import type { StreamName } from "../../../domain/output/Output.ts"
import { OutputEmptied } from "../../../domain/output/OutputEmptied.ts"
import { ClaimId } from "../../../domain/worker/Claim.ts"
import { ProcessIdentity } from "../../../domain/worker/Process.ts"
import { replaceFileNow, replaceFileSoon } from "../files/AtomicFile.ts"
import { codeOf } from "../files/SystemCode.ts"

/** The files of one claim. */
export interface SpoolFiles {
  readonly directory: string
  /** What the agent is asked. */
  readonly prompt: string
  readonly stdout: string
  readonly stderr: string
  /** The start token: a directory that the shim makes, or a file that says the claim was revoked. */
  readonly started: string
  /** The identity of the shim. */
  readonly shim: string
  /** The exit status of the agent. */
  readonly exit: string
  /** The worker that is to collect it. */
  readonly owner: string
  /** The messages that the agent gets while it runs: see `Input.ts`. */
  readonly input: string
  /** The FIFO through which the shim learns that there are more of them. */
  readonly bell: string
}

export const filesOf = (root: string, claimId: ClaimId): SpoolFiles => {
  const directory = join(root, claimId)
  return {
    directory,
    prompt: join(directory, "prompt"),
    stdout: join(directory, "stdout"),
    stderr: join(directory, "stderr"),
    started: join(directory, "started"),
    shim: join(directory, "shim"),
    exit: join(directory, "exit"),
    owner: join(directory, "owner"),
    input: join(directory, "input"),
    bell: join(directory, "bell")
  }
}

export const attempt = <A>(files: SpoolFiles, work: () => Promise<A>): Effect.Effect<A, SpawnFailed> =>
  Effect.tryPromise({
    try: work,
    catch: (error) => new SpawnFailed({ reason: "spool", subject: files.directory, detail: codeOf(error) })
  })

/** Bytes of a file; null where there is none. A look at every running task comes by here four times a second: one call, and no thread. */
export const sizeNow = (path: string): number | null => statSync(path, { throwIfNoEntry: false })?.size ?? null

/** A file of a few lines. Null where it cannot be had, for whatever reason. */
const textOf = (path: string): Effect.Effect<string | null> =>
  Effect.sync(() => {
    try {
      return sizeNow(path) === null ? null : readFileSync(path, "utf8")
    } catch {
      return null
    }
  })

const identityText = (identity: ProcessIdentity): string =>
  `${identity.pid}\n${identity.startTime}\n${identity.bootId}\n`

const decodeIdentity = Schema.decodeUnknownOption(ProcessIdentity)

/** Three lines: pid, start time, boot id. */
export const parseIdentity = (text: string): ProcessIdentity | null => {
  const [pid = "", startTime, bootId, end] = text.split("\n")
  if (end === undefined) return null
  const decoded = decodeIdentity({ pid: Number(pid), startTime, bootId })
  return decoded._tag === "Some" ? decoded.value : null
}

const touch = (path: string): void => closeSync(openSync(path, "a", 0o600))

/** A prompt that takes longer to write does not hold up the process. Characters. */
const shortPrompt = 100_000

/** Creates the directory and its files. The shim's files exist before it runs, so that it need not set a umask. */
export const prepare = (files: SpoolFiles, prompt: string, owner: ProcessIdentity) =>
  attempt(files, async () => {
    mkdirSync(files.directory, { recursive: true, mode: 0o700 })
    if (prompt.length <= shortPrompt) replaceFileNow(files.prompt, prompt)
    else await replaceFileSoon(files.prompt, prompt)
    replaceFileNow(files.owner, identityText(owner))
    for (const path of [files.stdout, files.stderr, files.input, `${files.shim}.new`, `${files.exit}.new`]) touch(path)
  })

/** Whether the start token is free, taken by a shim, or revoked. */
export const tokenOf = (files: SpoolFiles): Effect.Effect<"free" | "revoked" | "taken"> =>
  Effect.promise(() =>
    fs.stat(files.started).then(
      (found) => (found.isDirectory() ? ("taken" as const) : ("revoked" as const)),
      () => "free" as const
    )
  )

/**
 * Takes the start token as a file. Making a file and making a directory of one name exclude each other, and the kind of
 * the entry shows permanently which came first, even after a crash right after it.
 */
export const revoke = (files: SpoolFiles): Effect.Effect<"won" | "lost" | SpawnFailed> =>
  attempt(files, async () => {
    await fs.mkdir(files.directory, { recursive: true, mode: 0o700 })
    return fs.writeFile(files.started, "revoked\n", { flag: "wx", mode: 0o600 }).then(
      () => "won" as const,
      async (error) => {
        if (codeOf(error) !== "EEXIST") throw error
        return (await fs.stat(files.started)).isDirectory() ? ("lost" as const) : ("won" as const)
      }
    )
  }).pipe(Effect.catchTag("SpawnFailed", Effect.succeed))

/**
 * Gives up the token of a shim that has ended without reporting anything, and so without running anything. A process that makes a
 * directory between the two steps has the token then.
 */
export const withdraw = (files: SpoolFiles): Effect.Effect<void> =>
  Effect.tryPromise(async () => {
    const told = await fs.stat(files.shim).catch(codeOf)
    if (told !== "ENOENT") return
    await fs.rmdir(files.started)
    await fs.writeFile(files.started, "revoked\n", { flag: "wx", mode: 0o600 })
  }).pipe(Effect.ignore)

export const transferOwnership = (files: SpoolFiles, owner: ProcessIdentity) =>
  attempt(files, () => replaceFileSoon(files.owner, identityText(owner)))

export const shimOf = (files: SpoolFiles): Effect.Effect<ProcessIdentity | null> =>
  Effect.map(textOf(files.shim), (text) => (text === null ? null : parseIdentity(text)))

/** The exit status and when it was written; null until it is written completely. */
export const exitOf = (
  files: SpoolFiles
): Effect.Effect<{ readonly code: number; readonly writtenAt: number | null } | null> =>
  Effect.map(textOf(files.exit), (text) => {
    if (text === null || !/^\d{1,3}\n$/.test(text)) return null
    const written = statSync(files.exit, { throwIfNoEntry: false })?.mtimeMs
    return { code: Number(text), writtenAt: written === undefined ? null : Math.floor(written) }
  })

const hasContent = (path: string): Promise<boolean> =>
  fs.stat(path).then(
    ({ size }) => size > 0,
    () => false
  )

/** Whether the agent has ended: true as soon as the shim has begun to write the exit status. */
export const agentEnded = (files: SpoolFiles): Effect.Effect<boolean> =>
  // In the order of the rename from one to the other, so that it is not missed between the two.
  Effect.promise(async () => (await hasContent(`${files.exit}.new`)) || (await hasContent(files.exit)))

/** Bytes from `offset` on, at most `limit`; none where there is no such file. Of `before` see `Spawner.read`. */
export const read = (files: SpoolFiles, stream: StreamName, offset: number, limit: number, before?: Uint8Array) =>
  attempt(files, async () => {
    const known = before?.subarray(-Math.min(before.length, offset)) ?? new Uint8Array()
    // Mostly there is nothing new.
    const now = sizeNow(files[stream]) ?? 0
    if (before !== undefined && now < offset) return "emptied" as const
    if (now <= offset) return new Uint8Array()
    const file = await fs.open(files[stream], "r").catch((error) => {
      if (codeOf(error) === "ENOENT") return null
      throw error
    })
    if (file === null) return new Uint8Array()
    try {
      const { size } = await file.stat()
      if (before !== undefined && size < offset) return "emptied" as const
      const bytes = new Uint8Array(known.length + Math.max(0, Math.min(limit, size - offset)))
      if (bytes.length === known.length) return new Uint8Array()
      const { bytesRead } = await file.read(bytes, 0, bytes.length, offset - known.length)
      // It was emptied and has grown past where it was.
      if (known.some((byte, at) => byte !== bytes[at])) return "emptied" as const
      return bytes.subarray(known.length, Math.max(known.length, bytesRead))
    } finally {
      await file.close()
    }
  }).pipe(Effect.flatMap((found) => (found === "emptied" ? new OutputEmptied({ stream }) : Effect.succeed(found))))

export const sizeOf = (files: SpoolFiles, stream: StreamName): Effect.Effect<number> =>
  Effect.promise(() =>
    fs.stat(files[stream]).then(
      (found) => found.size,
      () => 0
    )
  )

/** Bytes of output in a spool that is deleted without a thread for each file: with more, the file system takes its time. */
const soonDeleted = 1024 * 1024

export const discard = (files: SpoolFiles) =>
  attempt(files, async () => {
    if ((sizeNow(files.stdout) ?? 0) + (sizeNow(files.stderr) ?? 0) <= soonDeleted) {
      try {
        return rmSync(files.directory, { recursive: true, force: true })
      } catch {
        // A process may still make files in it: again, with pauses.
      }
    }
    await fs.rm(files.directory, { recursive: true, force: true, maxRetries: 3 })
  })

/** Claims that have a directory, at most `limit`. Other names are not ours. */
export const claims = (root: string, limit: number): Effect.Effect<ReadonlyArray<ClaimId>> =>
  Effect.promise(async () => {
    const found: Array<ClaimId> = []
    const directory = await fs.opendir(root).catch(() => null)
    if (directory === null) return found
    for await (const entry of directory) {
      if (Schema.is(ClaimId)(entry.name)) found.push(entry.name)
      if (found.length >= limit) break
    }
    return found
  })
