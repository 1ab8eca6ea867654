/** The shim: the few lines of POSIX sh that are an agent's parent, so that no Backbeat process has to be. */
import * as os from "node:os"
import type { ProcessEnd } from "../../../domain/task/Agent.ts"

/**
 * Runs under dash, bash (3.2 on) and busybox. Variables carry a prefix: an assignment to a name that the task's
 * environment exports would change what the agent sees. Arguments are never part of the text:
 *
 *   $1 spool directory   $2 boot id   $3 working directory   $4 file for stdin, or nothing: lines while it runs
 *   $5 PATH for the shim's own tools   $6 umask of the agent, or nothing   $7 number of variables set aside (see
 *   ShimEnvironment.ts)   $8 seconds between two looks at the owner of an agent that takes lines
 *   $9 number of words of the command that starts a worker, then those words, then the agent and its arguments
 *
 * IFS, PWD, OLDPWD and SHLVL are the shell's own under every sh.
 */
const annotated = String.raw`
# Whatever options and functions bash took from the environment: this text runs without them.
set +aefuvxC
unset -f command cd printf read test umask kill wait
# A handler, not "ignore": the shim lives on, while the agent still gets the default of each signal.
trap : HUP INT QUIT ALRM TERM USR1 USR2
backbeat_spool=$1 backbeat_boot=$2 backbeat_directory=$3 backbeat_input=$4
# The task's PATH is for the agent. It may lack mkdir, or hold another one.
backbeat_had_path=\${PATH+yes} backbeat_path=\${PATH-}
PATH=$5
backbeat_umask=$6 backbeat_aside=$7 backbeat_pause=$8 backbeat_words=$9
shift 9
# The start token. The shim that makes this directory runs the agent; every other shim exits.
command mkdir "$backbeat_spool/started" || exit 0
# State and start time of process $1. Fields of /proc/PID/stat count from the last ")", for a name may hold anything:
# the state is then the 1st and the start time the 20th. Elsewhere ps tells a date, in one language and time zone.
backbeat_look() {
  backbeat_state= backbeat_start=
  if test -e /proc/self/stat; then
    { read -r backbeat_line <"/proc/$1/stat"; } 2>/dev/null || return 1
    set -- \${backbeat_line##*) }
    backbeat_state=$1 backbeat_start=\${20}
  else
    set -- $(LC_ALL=C TZ=UTC0 command ps -o stat= -o lstart= -p "$1")
    backbeat_state=\${1-}
    test $# -eq 0 || shift
    backbeat_start=$*
  fi
  test -n "$backbeat_start"
}
# Whether the owner is there, or no process is needed: a spool that is gone has been read. An owner that has ended but was not
# waited for is not there.
backbeat_owned() {
  { read -r backbeat_owner && read -r backbeat_since; } <"$backbeat_spool/owner" || return 0
  backbeat_look "$backbeat_owner" && test "$backbeat_start" = "$backbeat_since" && test "\${backbeat_state#Z}" = "$backbeat_state"
}
# Calls for a worker: brings its words behind the agent's, drops those, runs the rest without the task's marks.
backbeat_call() {
  backbeat_agent=$(($# - backbeat_words)) backbeat_left=$backbeat_words
  while test "$backbeat_left" -gt 0; do
    set -- "$@" "$1"
    shift
    backbeat_left=$((backbeat_left - 1))
  done
  shift "$backbeat_agent"
  unset BACKBEAT_TASK_ID BACKBEAT_DEPTH
  test $# -eq 0 || "$@" &
}
# Prints the lines of the file 4 for the agent, and at its end waits for a ring on 3. A line whose end is not written
# yet is kept. Long texts are in separate files: a shell reads byte by byte, a megabyte in seconds. It leaves at the line "close" and at the ring "end": the agent's stdin is at its end then.
backbeat_pump() {
  backbeat_held=
  while :; do
    while IFS= read -r backbeat_line <&4; do
      backbeat_line=$backbeat_held$backbeat_line backbeat_held=
      case $backbeat_line in
      "say "*) command printf '%s\n' "\${backbeat_line#say * }" || return ;;
      "file "*) command cat "$backbeat_spool/say.\${backbeat_line#file }" || return ;;
      close) return ;;
      esac
    done
    backbeat_held=$backbeat_held$backbeat_line
    read -r backbeat_line <&3 || return
    test "$backbeat_line" != end || return
  done
}
# An agent whose stdin is open does not end, and nothing would call for a worker whose owner was killed: this looks. It
# calls once for each owner, and again after 20 looks. When the shim is gone, the agent's stdin is ended.
backbeat_watch() {
  backbeat_called= backbeat_looks=0
  while command sleep "$backbeat_pause"; do
    backbeat_look $$ && test "$backbeat_start" = "$backbeat_self" && test "\${backbeat_state#Z}" = "$backbeat_state" || break
    backbeat_looks=$((backbeat_looks + 1))
    if backbeat_owned || { test "$backbeat_called" = "$backbeat_owner $backbeat_since" && test "$backbeat_looks" -lt 20; }; then
      continue
    fi
    backbeat_called="$backbeat_owner $backbeat_since" backbeat_looks=0
    (backbeat_call "$@")
  done
  command printf 'end\n' 1<>"$backbeat_spool/bell"
}
# All ends are opened before any process is told, so that none ever waits for a process that was killed, and a ring is heard.
if test -z "$backbeat_input"; then
  command mkfifo -m 600 "$backbeat_spool/bell" "$backbeat_spool/stdin" || exit 1
  exec 3<>"$backbeat_spool/bell" 4<"$backbeat_spool/input" 5<>"$backbeat_spool/stdin" 6>"$backbeat_spool/stdin" 7<"$backbeat_spool/stdin" 5>&-
fi
# Who runs the agent, told by the one who knows. The new file exists already, private and with room in the directory;
# the rename makes it appear whole. Without a word about itself the shim must not start anything.
backbeat_look $$ || backbeat_start=unknown
backbeat_self=$backbeat_start
printf '%s\n%s\n%s\n' $$ "$backbeat_start" "$backbeat_boot" >"$backbeat_spool/shim.new" &&
  test -s "$backbeat_spool/shim.new" &&
  command mv -f "$backbeat_spool/shim.new" "$backbeat_spool/shim" || exit 1
# What was set aside goes to the agent by env, so that no shell acts on it.
backbeat_run() {
  shift "$backbeat_words"
  backbeat_env=
  test "$backbeat_aside" -eq 0 || backbeat_env=$(command -v env)
  while test "$backbeat_aside" -gt 0; do
    eval 'set -- "$backbeat_aside_'"$backbeat_aside"'" "$@"'
    unset "backbeat_aside_$backbeat_aside"
    backbeat_aside=$((backbeat_aside - 1))
  done
  test -z "$backbeat_env" || set -- "$backbeat_env" "$@"
  test -z "$backbeat_umask" || command umask "$backbeat_umask"
  if test -n "$backbeat_had_path"; then PATH=$backbeat_path; else unset PATH; fi
  command cd "$backbeat_directory" 2>/dev/null || {
    command printf 'beat: the directory %s cannot be entered\n' "$backbeat_directory" >&2
    exit 126
  }
  exec "$@"
}
# The agent, in the foreground: in the background it would get SIGINT and SIGQUIT ignored. exec makes it a direct child.
if test -n "$backbeat_input"; then
  (backbeat_run "$@") <"$backbeat_input" >>"$backbeat_spool/stdout" 2>>"$backbeat_spool/stderr"
  backbeat_code=$?
else
  (backbeat_pump) >&6 6>&- 7<&- &
  backbeat_pump=$!
  # Only the pump writes to the agent and hears the bell: with it, both are gone.
  exec 3>&- 4<&- 6>&-
  # Its sleep is marked, so that a stop neither ends nor counts what is left of it.
  (
    BACKBEAT_WORKER=1
    export BACKBEAT_WORKER
    backbeat_watch "$@"
  ) 7<&- &
  backbeat_watch=$!
  (backbeat_run "$@") <&7 7<&- >>"$backbeat_spool/stdout" 2>>"$backbeat_spool/stderr"
  backbeat_code=$?
  exec 7<&-
  command kill -9 "$backbeat_pump" "$backbeat_watch"
  command wait "$backbeat_pump" "$backbeat_watch"
fi
# From here on what it starts is its own doing: marked, so that a stop that is under way neither ends nor counts it.
BACKBEAT_WORKER=1
export BACKBEAT_WORKER
# Write the exit status. Try again each second for an hour while the disk is full. Stop when the spool is gone.
backbeat_tries=0
until printf '%s\n' "$backbeat_code" >"$backbeat_spool/exit.new" &&
  test -s "$backbeat_spool/exit.new" &&
  command mv -f "$backbeat_spool/exit.new" "$backbeat_spool/exit"; do
  test -d "$backbeat_spool" && test "$backbeat_tries" -lt 3600 || exit 1
  backbeat_tries=$((backbeat_tries + 1))
  command sleep 1
done
# Is the owner there to read it? If not, call for a worker.
backbeat_owned || backbeat_call "$@"
`

/** The text that is run: without its comments, which would only lengthen every line of `ps`. */
const shimScript = annotated
  .replaceAll("\\$", "$")
  .split("\n")
  .filter((line) => !/^\s*(#|$)/.test(line))
  .join("\n")

interface ShimCall {
  readonly spool: string
  readonly bootId: string
  readonly directory: string
  /** The file for stdin. Null: what is written to the file \`input\` of the spool, line by line while the agent runs. */
  readonly input: string | null
  readonly toolPath: string
  /** Undefined: as it is. */
  readonly umask: number | undefined
  /** How many variables are set aside. */
  readonly aside: number
  /** Seconds between two looks at the owner of an agent that takes lines (default: 15). */
  readonly pause?: number
  /** What starts a worker. */
  readonly worker: ReadonlyArray<string>
  /** Program and arguments of the agent. */
  readonly agent: readonly [string, ...ReadonlyArray<string>]
}

/** The arguments of `sh` that run the shim. */
export const shimArguments = (call: ShimCall): ReadonlyArray<string> => [
  "-c",
  shimScript,
  "backbeat",
  call.spool,
  call.bootId,
  call.directory,
  call.input ?? "",
  call.toolPath,
  call.umask === undefined ? "" : call.umask.toString(8).padStart(4, "0"),
  String(call.aside),
  String(call.pause ?? 15),
  String(call.worker.length),
  ...call.worker,
  ...call.agent
]

/**
 * Signals that end a program which does not handle them. A shell's status 128 + n is read as one of these only: agents
 * give other codes above 128 their own meanings (Gemini 144, 145, 173 and 244).
 */
const fatal = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGILL",
  "SIGTRAP",
  "SIGABRT",
  "SIGBUS",
  "SIGFPE",
  "SIGKILL",
  "SIGUSR1",
  "SIGSEGV",
  "SIGUSR2",
  "SIGPIPE",
  "SIGALRM",
  "SIGTERM",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGSYS"
] as const

/** How the agent ended, from the status its shell saw. */
export const endOf = (exitCode: number): ProcessEnd => ({
  exitCode,
  signal: fatal.find((name) => os.constants.signals[name] === exitCode - 128) ?? null
})
