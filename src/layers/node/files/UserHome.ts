/** The home directory of the user, by HOME or by the password file, where there is one. */
import { homedir, userInfo } from "node:os"
import { isAbsolute, join, resolve } from "node:path"

/** The root directory is the home that containers give a user whom they do not know: nothing belongs in there. */
const usable = (ask: () => string): string | null => {
  try {
    const home = ask()
    return isAbsolute(home) && resolve(home) !== "/" ? resolve(home) : null
  } catch {
    // Without HOME the system looks for an entry of the password file, and this user may have none.
    return null
  }
}

/** What the password file says. */
export const registeredHome = (): string | null => usable(() => userInfo().homedir)

/** HOME where it is an absolute path, else what the password file says; null where neither names a directory. */
export const userHome = (): string | null => usable(homedir) ?? registeredHome()

/** A leading `~` as a shell expands it. Without a home directory the text stays as it is. */
export const expandHome = (given: string): string => {
  const home = given === "~" || given.startsWith("~/") ? userHome() : null
  return home === null ? given : join(home, given.slice(1))
}

/** What to do where a path is needed and there is no home directory. */
export const noHome =
  "is not set, and the password file names no home directory for this user. Set HOME or BACKBEAT_HOME."
