/**
 * The one way in which a file is replaced: it appears whole or not at all, also on a full disk, and the temporary file next to it is
 * removed when that fails. `write-file-atomic` 8 was weighed: two packages in place of 40 lines, and it has no
 * place for a check between the write and the rename. Take it when that check is no longer needed.
 */
import { randomUUID } from "node:crypto"
import * as fs from "node:fs"
import { dirname } from "node:path"
import { realFuture } from "./RealPath.ts"
import { codeOf } from "./SystemCode.ts"

interface ReplaceOptions {
  readonly mode: number
  /** Given to the new file; null: it belongs to this process. */
  readonly owner?: { readonly uid: number; readonly gid: number } | null
  /** Called when the new file is whole and on the disk. A throw leaves the old one as it is. */
  readonly check?: (target: string) => void
}

/** The file gets this mode whatever the umask is. A file system without modes refuses with EPERM, and the file stays usable. */
const setMode = (file: number, mode: number): void => {
  try {
    fs.fchmodSync(file, mode)
  } catch (error) {
    if (codeOf(error) !== "EPERM") throw error
  }
}

const temporaryOf = (target: string): string => `${target}.${randomUUID()}.tmp`

/** Through links, so that a file kept elsewhere stays a link, also where its target is not there yet. On the disk when it returns. */
export const replaceFile = (path: string, text: string, { check, mode, owner = null }: ReplaceOptions): void => {
  const target = realFuture(path)
  const temporary = temporaryOf(target)
  try {
    const file = fs.openSync(temporary, "wx", mode)
    try {
      fs.writeFileSync(file, text)
      setMode(file, mode)
      if (owner !== null) fs.fchownSync(file, owner.uid, owner.gid)
      fs.fsyncSync(file)
    } finally {
      fs.closeSync(file)
    }
    check?.(target)
    fs.renameSync(temporary, target)
  } catch (error) {
    fs.rmSync(temporary, { force: true })
    throw error
  }
}

/** The same for small files that do not outlive their claim: without a wait for the disk, and without blocking the process. */
export const replaceFileSoon = async (path: string, text: string): Promise<void> => {
  const temporary = temporaryOf(path)
  try {
    await fs.promises.writeFile(temporary, text, { mode: 0o600, flag: "wx" })
    await fs.promises.rename(temporary, path)
  } catch (error) {
    // What was written of it would keep a full disk full.
    await fs.promises.rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}

/** The same, blocking the process for the microseconds that a few words take: a thread for each step costs several times as much. */
export const replaceFileNow = (path: string, text: string): void => {
  const temporary = temporaryOf(path)
  try {
    fs.writeFileSync(temporary, text, { mode: 0o600, flag: "wx" })
    fs.renameSync(temporary, path)
  } catch (error) {
    fs.rmSync(temporary, { force: true })
    throw error
  }
}

/** The directory of a file that is about to be replaced, through links. */
export const directoryOf = (path: string): string => dirname(realFuture(path))
