/** Which variables mean something only in the call that they come from: a git hook, a make recipe, an npm script, a unit. */
import { matcher } from "../../../domain/environment/matcher.ts"
import type { Environment } from "../../../domain/task/NewTask.ts"

/**
 * Names that no person keeps in an environment. Git's are those of `git rev-parse --local-env-vars` (without
 * GIT_CONFIG_COUNT, by which a person configures git) and what git sets for hooks, aliases and its own tools.
 *
 * Then make and job servers; the options and functions of the calling shell (BASH_ENV makes every later bash run a file
 * of that call first); the calling terminal (TERM and COLORTERM say what a program may print, and stay); the calling unit;
 * npm; and the switches of Backbeat's own tests.
 *
 * What describes a captured variable stays with it: DIRENV_DIFF, VIRTUAL_ENV, SSH_AUTH_SOCK.
 */
const always = matcher(`
GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_CONFIG GIT_CONFIG_PARAMETERS GIT_OBJECT_DIRECTORY GIT_DIR GIT_WORK_TREE
GIT_IMPLICIT_WORK_TREE GIT_GRAFT_FILE GIT_INDEX_FILE GIT_NO_REPLACE_OBJECTS GIT_REPLACE_REF_BASE GIT_PREFIX
GIT_INTERNAL_* GIT_SHALLOW_FILE GIT_COMMON_DIR GIT_QUARANTINE_PATH GIT_AUTHOR_DATE GIT_COMMITTER_DATE
GIT_REFLOG_ACTION GIT_CHERRY_PICK_HELP GIT_PUSH_CERT* GIT_PUSH_OPTION_* GIT_PROTOCOL GIT_PAGER_IN_USE
GIT_DIFF_PATH_* GIT_DIFFTOOL_* GIT_TRACE2_PARENT_* GITHEAD_* PRE_COMMIT PRE_COMMIT_FROM_REF PRE_COMMIT_TO_REF PRE_COMMIT_REMOTE_* PRE_COMMIT_COMMIT_* MFLAGS MAKELEVEL MAKEOVERRIDES
MAKE_RESTARTS MAKE_TERM* CARGO_MAKEFLAGS SHELLOPTS BASHOPTS BASH_ENV BASH_XTRACEFD BASH_FUNC_*
TMUX TMUX_PANE STY WINDOW WINDOWID GPG_TTY SSH_TTY SSH_ORIGINAL_COMMAND TERM_PROGRAM*
TERM_SESSION_ID ITERM_SESSION_ID KITTY_PID KITTY_WINDOW_ID KITTY_LISTEN_ON WEZTERM_PANE WEZTERM_UNIX_SOCKET
ALACRITTY_* GNOME_TERMINAL_* WT_SESSION ZELLIJ ZELLIJ_*
NVIM NVIM_LISTEN_ADDRESS VIM_TERMINAL INSIDE_EMACS LISTEN_FDS LISTEN_PID LISTEN_PIDFDID LISTEN_FDNAMES
NOTIFY_SOCKET WATCHDOG_* INVOCATION_ID JOURNAL_STREAM MAINPID MANAGERPID*
SYSTEMD_EXEC_PID MEMORY_PRESSURE_* DESKTOP_STARTUP_ID XDG_ACTIVATION_TOKEN
npm_lifecycle_* BACKBEAT_BOOT_ID BACKBEAT_FAILPOINTS
`)

/** Set by git in a hook or an alias, and by a person anywhere. */
const ofHook = matcher(`
GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_EXEC_PATH GIT_NAMESPACE GIT_LITERAL_PATHSPECS GIT_GLOB_PATHSPECS
GIT_NOGLOB_PATHSPECS GIT_ICASE_PATHSPECS
`)
const editors = new Set(["GIT_EDITOR", "GIT_SEQUENCE_EDITOR"])

/** Git puts its own directory first in the PATH of all that it starts, and names it (seen with git 2.39). */
const isInGit = (environment: Environment): boolean =>
  ["GIT_PREFIX", "GIT_INDEX_FILE", "GIT_QUARANTINE_PATH", "GIT_REFLOG_ACTION"].some((name) => name in environment) ||
  (environment.GIT_EXEC_PATH !== undefined && environment.PATH?.split(":")[0] === environment.GIT_EXEC_PATH)

/** A person may set MAKEFLAGS, e.g. to `-j8`; below make it is make's, and a job server ends with its make. */
const isInMake = (environment: Environment): boolean =>
  ["MAKELEVEL", "MFLAGS"].some((name) => name in environment) || /--jobserver-/.test(environment.MAKEFLAGS ?? "")

/** npm sets these from all of its settings; what says where packages come from is the person's as well. */
const isInScript = (environment: Environment): boolean =>
  ["npm_lifecycle_event", "npm_lifecycle_script", "npm_command"].some((name) => name in environment)
const ofScript = matcher(`
npm_* INIT_CWD PROJECT_CWD BERRY_BIN_FOLDER PNPM_SCRIPT_SRC_DIR
`)
const ofRegistry =
  /^npm_config_(registry|@.*|\/\/.*|nodedir|python|proxy|https_proxy|noproxy|ca|cafile|strict_ssl|cache|userconfig|globalconfig)$/

/** The environment without what only means something in the call that it comes from. */
export const withoutCall = (environment: Environment): Environment => {
  const git = isInGit(environment)
  const make = isInMake(environment)
  const script = isInScript(environment)
  const isBound = (name: string, value: string): boolean =>
    always(name) ||
    // The functions of bash before 4.3 bear their own names.
    value.startsWith("() {") ||
    (git && (ofHook(name) || (editors.has(name) && value === ":"))) ||
    (make && name === "MAKEFLAGS") ||
    (script && ofScript(name) && !ofRegistry.test(name))
  const kept = Object.fromEntries(Object.entries(environment).filter(([name, value]) => !isBound(name, value)))
  const { PATH, GIT_EXEC_PATH } = environment
  if (!git || PATH === undefined || GIT_EXEC_PATH === undefined) return kept
  return {
    ...kept,
    PATH: PATH.split(":")
      .filter((place) => place !== GIT_EXEC_PATH)
      .join(":")
  }
}
