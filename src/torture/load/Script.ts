/** The agents of a torture run: shell scripts that print bytes known in advance and keep their own journal. */
import type { Behaviour, TaskPlan } from "./TaskPlan.ts"

/**
 * `sh agent.sh KEY BEHAVIOUR LINES PAUSE CODE`. The journal has a line for the start, with the claim that the file behind
 * stdout belongs to; one for what has been printed; one for the end. Each is one write to a file opened for appending.
 */
export const agentScript = (root: string): string => `
key=$1 behaviour=$2 lines=$3 pause=$4 code=$5
journal="${root}/journal/$key"
note() { read -r up rest </proc/uptime; echo "$up $BACKBEAT_TASK_ID $*" >>"$journal"; }
# A shell tells on stderr of a child that a signal ended: that is not what the agent prints.
nap() { sleep "$1"; } 2>/dev/null
claim=$(readlink "/proc/$$/fd/1")
claim=\${claim%/*}
note start "\${claim##*/}" $$ "$(ulimit -f)" "$(umask)" "$lines" "$code"
case $behaviour in
  stubborn) trap '' TERM INT HUP ;;
  # Shorter than the time to settle: without its shim the task is not over before this is.
  leftover) setsid sleep 20 >/dev/null 2>&1 & ;;
esac
i=0
case $behaviour in claude-*) echo '{"type":"system","subtype":"init","session_id":"s-'"$key"'"}' ;; esac
while [ $i -lt "$lines" ]; do
  i=$((i + 1))
  case $behaviour in
    claude-*) echo '{"type":"assistant","message":{"content":[{"type":"text","text":"'"$key $i"' äöü 漢字"}]}}' ;;
    *) echo "$key $i äöü 漢字 $((i * 7))" ;;
  esac
  [ $((i % 3)) -ne 0 ] || echo "$key err $i" >&2
  # As \`> /dev/stdout\` does anywhere below an agent.
  if [ "$behaviour" = emptier ] && [ $i -eq $((lines / 2)) ]; then
    # Long enough for the worker to have read what will be gone.
    nap 1.2
    : >"/proc/$$/fd/1"
  fi
  if [ "$pause" != 0 ]; then
    note printed $i
    nap "$pause"
  elif [ $((i % 500)) -eq 0 ]; then
    note printed $i
  fi
done
note printed $i
case $behaviour in
  sleeper | stubborn)
    n=0
    while [ $n -lt 30 ]; do n=$((n + 1)); nap 1; done ;;
  silent) nap 30 ;;
  listener) while read -r word; do
    note heard "$word"
    [ "$word" != close ] || break
  done ;;
  suicide) note dies; kill -9 $$ ;;
  claude-ok) echo '{"type":"result","subtype":"success","is_error":false,"result":"done '"$key"'","session_id":"s-'"$key"'"}' ;;
  claude-error) echo '{"type":"result","subtype":"success","is_error":true,"result":"API Error: 500 '"$key"'","session_id":"s-'"$key"'"}' ;;
esac
note end "$code"
exit "$code"
`

/** Takes the place of Claude Code: its prompt comes on stdin and holds the same words, on a separate line. */
export const claudeScript = (root: string): string => `#!/bin/sh
before=
for word; do
  [ "$before" != --resume ] || [ ! -f "${root}/account/$word" ] || exec sh "${root}/limited.sh" "" "$@" </dev/null
  before=$word
done
while read -r words || [ -n "$words" ]; do
  case $words in
    t*' 'claude-*) exec sh "${root}/agent.sh" $words ;;
    'limit m'*) exec sh "${root}/limited.sh" "$words" "$@" ;;
  esac
done
echo "no such words" >&2
exit 64
`

/** The words that control the script. */
export const wordsOf = (plan: TaskPlan): string =>
  [plan.key, plan.behaviour, plan.lines, plan.pauseMs / 1000, plan.exitCode].join(" ")

/** The words in a prompt, on a separate line: context from other tasks is in comments, or after the words. */
export const wordsIn = (prompt: string): string | null =>
  /^(?:exec sh "[^"\n]*\/agent\.sh" )?([tpslwi][\d.]+ [a-z-]+ \d+ [\d.]+ \d+)$/m.exec(prompt)?.[1] ?? null

export const promptOf = (plan: TaskPlan, root: string): string =>
  isClaude(plan.behaviour) ? wordsOf(plan) : `exec sh "${root}/agent.sh" ${wordsOf(plan)}`

export const isClaude = (behaviour: Behaviour): boolean => behaviour.startsWith("claude")

const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)

const stdoutLine = ({ behaviour, key }: TaskPlan, i: number): string =>
  isClaude(behaviour)
    ? `{"type":"assistant","message":{"content":[{"type":"text","text":"${key} ${i} äöü 漢字"}]}}\n`
    : `${key} ${i} äöü 漢字 ${i * 7}\n`

const opening = ({ behaviour, key }: TaskPlan): string =>
  isClaude(behaviour) ? `{"type":"system","subtype":"init","session_id":"s-${key}"}\n` : ""

const closing = ({ behaviour, key }: TaskPlan): string => {
  const result = (isError: boolean, text: string) =>
    `{"type":"result","subtype":"success","is_error":${isError},"result":"${text}","session_id":"s-${key}"}\n`
  if (behaviour === "claude-ok") return result(false, `done ${key}`)
  return behaviour === "claude-error" ? result(true, `API Error: 500 ${key}`) : ""
}

/** The bytes of a stream once `lines` lines were printed, and after the end. */
export const expectedBytes = (plan: TaskPlan, stream: "stdout" | "stderr", lines: number, ended: boolean): Buffer =>
  Buffer.from(
    stream === "stdout"
      ? opening(plan) +
          range(1, lines)
            .map((i) => stdoutLine(plan, i))
            .join("") +
          (ended ? closing(plan) : "")
      : range(1, Math.floor(lines / 3))
          .map((i) => `${plan.key} err ${i * 3}\n`)
          .join("")
  )

/** The first of these words: the key of the submission. */
export const keyIn = (words: string): string => words.split(" ")[0] ?? ""
