/** The real path of a file or directory, also of one that is not there yet. */
import { lstatSync, readlinkSync } from "node:fs"
import { dirname, join, parse, resolve, sep } from "node:path"
import { codeOf } from "./SystemCode.ts"

/** As many links as Linux follows. */
const mostLinks = 40

const linkAt = (path: string): string | null => {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null
  } catch (error) {
    // A missing name is not a link. A name that cannot be looked at fails when it is opened, with the system's own message.
    if (/^E(LOOP|NOTDIR|NAMETOOLONG)$/.test(codeOf(error))) throw error
    return null
  }
}

/**
 * Follows every link in an absolute path. `fs.realpath` fails where the last name is missing; here a link whose target is
 * missing leads to that target, so that the file is made where the link points. Throws ELOOP for links in a circle, ENOTDIR and ENAMETOOLONG for what no file can be at.
 */
export const realFuture = (given: string): string => {
  const path = resolve(given)
  const { root } = parse(path)
  let rest = path.slice(root.length).split(sep).filter(Boolean)
  let current = root
  let links = 0
  while (true) {
    const [name, ...after] = rest
    if (name === undefined) return current
    const next = join(current, name)
    const target = linkAt(next)
    if (target === null) {
      current = next
      rest = after
      continue
    }
    links += 1
    if (links > mostLinks) throw Object.assign(new Error(`links in a circle: ${given}`), { code: "ELOOP" })
    // ".." in a target counts from where the link really is.
    current = root
    rest = resolve(dirname(next), target).slice(root.length).split(sep).filter(Boolean).concat(after)
  }
}
