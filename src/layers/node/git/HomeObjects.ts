/** Gives a repository the objects of another one, without copying their bytes where the file system can share them. */
import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import { join, resolve } from "node:path"
import { codeOf } from "../files/SystemCode.ts"

/** Copies a file by sharing its blocks where the file system can, else by a hard link, else byte by byte. */
const linkObject = async (from: string, to: string): Promise<void> => {
  try {
    await fs.copyFile(from, to, constants.COPYFILE_FICLONE_FORCE)
    return
  } catch {
    // This file system cannot share blocks.
  }
  try {
    await fs.link(from, to)
  } catch (error) {
    if (codeOf(error) === "EEXIST") return
    if (codeOf(error) === "ENOENT") throw error
    await fs.copyFile(from, to)
  }
}

export const entriesOf = (directory: string) => fs.readdir(directory, { withFileTypes: true }).catch(() => [])

/** Loose objects of one of the 256 directories. One that vanished was packed meanwhile: the packs come later. */
const linkDirectory = async (from: string, to: string): Promise<void> => {
  const files = (await entriesOf(from)).filter((entry) => entry.isFile() && !entry.name.startsWith("tmp_"))
  if (files.length === 0) return
  await fs.mkdir(to, { recursive: true })
  for (const { name } of files) {
    await linkObject(join(from, name), join(to, name)).catch((error: unknown) => {
      if (codeOf(error) !== "ENOENT") throw error
    })
  }
}

/** A repack writes the new pack before it drops the old one, so a pack that vanished means: look again. */
const linkPacks = async (from: string, to: string, tries = 5): Promise<void> => {
  await fs.mkdir(to, { recursive: true })
  try {
    for (const { name } of (await entriesOf(from)).filter((entry) => entry.isFile())) {
      if (!name.startsWith("tmp_") && !name.startsWith(".tmp")) await linkObject(join(from, name), join(to, name))
    }
  } catch (error) {
    if (codeOf(error) !== "ENOENT" || tries === 0) throw error
    await linkPacks(from, to, tries - 1)
  }
}

export const linkObjects = async (from: string, to: string): Promise<void> => {
  for (const { name } of await entriesOf(from)) {
    if (/^[0-9a-f]{2}$/.test(name)) await linkDirectory(join(from, name), join(to, name))
  }
  await linkPacks(join(from, "pack"), join(to, "pack"))
  // Objects that the home itself borrows are borrowed too; relative paths count from the home's objects.
  const alternates = await fs.readFile(join(from, "info", "alternates"), "utf8").catch(() => "")
  const lines = alternates.split("\n").filter((line) => line.trim() !== "")
  if (lines.length === 0) return
  await fs.mkdir(join(to, "info"), { recursive: true })
  await fs.writeFile(join(to, "info", "alternates"), `${lines.map((line) => resolve(from, line)).join("\n")}\n`)
}
