/** Tasks of an account whose usage limit is reached again and again: each is refused in the middle of its work, parked, and resumed. */
import type { Dice } from "../Dice.ts"

export interface LimitPlan {
  readonly key: string
  /** Requests that the agent makes, one after the other. */
  readonly steps: number
  readonly afterMs: number
}

/** The account is closed for the first seconds of each period, by the time since the boot of the machine. In seconds. */
export const account = { period: 10, closed: 3 } as const

/** Few: a task that is refused waits for seconds, and one at a time asks whether the limit is over. */
const secondsPerTask = 10

export const planLimits = (dice: Dice, durationMs: number): ReadonlyArray<LimitPlan> =>
  Array.from({ length: Math.ceil(durationMs / 1000 / secondsPerTask) }, (_, index) => ({
    key: `m${index}`,
    steps: dice.between(3, 6),
    afterMs: dice.between(0, 6000)
  }))

/** Takes the place of Claude Code: `sh limited.sh DIRECTORY WORDS ARGUMENT...`, with no words where a session is resumed. */
export const limitedScript = (root: string): string => `
words=$1
shift
session= resumed=
while [ $# -gt 0 ]; do
  case $1 in
    --session-id) session=$2 ;;
    --resume) session=$2 resumed=1 ;;
  esac
  shift
done
file="${root}/account/$session"
say() { echo '{"session_id":"'"$session"'",'"$1"'}'; }
if [ -n "$resumed" ]; then read -r key steps done <"$file"; else
  key=\${words#limit } done=0
  steps=\${key#* }
  key=\${key% *}
fi
note() { read -r up rest </proc/uptime; echo "$up $BACKBEAT_TASK_ID $*" >>"${root}/journal/$key"; }
claim=$(readlink "/proc/$$/fd/1")
claim=\${claim%/*}
note start "\${claim##*/}" "$session" "\${resumed:-0}"
say '"type":"system","subtype":"init"'
while [ "$done" -lt "$steps" ]; do
  read -r up rest </proc/uptime
  at=$((\${up%.*} % ${account.period}))
  if [ $at -lt ${account.closed} ]; then
    note refused "\${claim##*/}"
    resets=$(($(date +%s) + ${account.closed} - at))
    say '"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":'$resets',"rateLimitType":"five_hour","isUsingOverage":false}'
    say '"type":"result","subtype":"success","is_error":true,"api_error_status":429,"api_error_type":"rate_limit_error","api_error":"usage_limit_reached","result":"You have hit your 5-hour limit"'
    exit 1
  fi
  done=$((done + 1))
  echo "$key $steps $done" >"$file.new" && mv "$file.new" "$file"
  note step $done
  say '"type":"assistant","message":{"model":"claude-fake","content":[{"type":"text","text":"step '$done'"}]}'
  sleep 0.7
done
note end 0
say '"type":"result","subtype":"success","is_error":false,"result":"did '$steps' steps"'
`
