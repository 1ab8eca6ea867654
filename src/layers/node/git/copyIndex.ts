/** Copies the index of a repository so that git notices the same changes by the copy. */
import * as fs from "node:fs/promises"

/**
 * Most builds of git compare the times of a file in whole seconds (`USE_NSEC` in its Makefile is off). A file that changed in the second in which the index was
 * written, and kept its size, is noticed only because the index is not newer: git then compares the contents. So the copy
 * gets the second of the original.
 */
export const copyIndex = async (from: string, to: string): Promise<void> => {
  const { mtimeMs } = await fs.stat(from)
  await fs.copyFile(from, to)
  const written = Math.floor(mtimeMs / 1000)
  await fs.utimes(to, written, written)
}
