/** Tasks of accounts whose usage limit is reached again and again, and of one that has a budget. */
import type { Dice } from "../Dice.ts"

/** The accounts of the run: those with a limit, each refused at another time, and one without a limit whose tasks have a budget. */
export const limitedPayers = ["a0", "a1", "a2"] as const
const cappedPayer = "capped"
type Payer = (typeof limitedPayers)[number] | typeof cappedPayer

export interface LimitPlan {
  readonly key: string
  readonly payer: Payer
  /** Requests that the agent makes, one after the other. */
  readonly steps: number
  readonly afterMs: number
}

/** What most of the run is about. */
export type Focus = "everything" | "limits" | "merges"

/** An account refuses for the first seconds of each period, by the real clock. In seconds. */
export interface Windows {
  readonly period: number
  readonly closed: number
}

/**
 * Backbeat waits 5 seconds longer than it is told: what is left of a period is the time in which work gets done. It is about as long as
 * a task, so that most are refused in the middle.
 */
export const windowsOf = (focus: Focus): Windows =>
  focus === "limits" ? { period: 12, closed: 2 } : { period: 10, closed: 3 }

/** Few: a task that is refused waits for seconds, and one at a time asks whether the limit is over. */
const secondsPerTask: Readonly<Record<Focus, number>> = { everything: 10, limits: 0.3, merges: 60 }

/** Tasks of one account that are submitted together. */
const together: Readonly<Record<Focus, number>> = { everything: 1, limits: 4, merges: 1 }

/** Tokens of one step of a task that has a budget, and of one that has none. A token costs 5 millionths of a dollar. */
export const cappedTokens = 50_000
const plainTokens = 10_000
export const tokenMicro = 5

export const isCapped = ({ payer }: Pick<LimitPlan, "payer">): boolean => payer === cappedPayer

export const tokensOf = (plan: Pick<LimitPlan, "payer">): number => (isCapped(plan) ? cappedTokens : plainTokens)

/** As much as is reserved for a task of which no run is known: every task with a budget costs exactly that. */
const cappedSteps = 4

/** The budget has room for this many tasks, and twice as many are submitted: the others wait until it is raised at the end. */
const cappedTasks = 6
export const cappedAmount = cappedTasks * cappedSteps * cappedTokens
export const cappedBudget = { name: cappedPayer, label: `payer=${cappedPayer}` } as const

/** In groups that are submitted together. */
export const planLimits = (dice: Dice, durationMs: number, focus: Focus): ReadonlyArray<ReadonlyArray<LimitPlan>> => {
  const size = together[focus]
  const groups = Math.ceil(durationMs / 1000 / secondsPerTask[focus] / size)
  const limited = Array.from({ length: groups }, (_, group) => {
    const payer = limitedPayers[group % limitedPayers.length] ?? "a0"
    const afterMs = dice.between(0, focus === "limits" ? 200 : 6000)
    return Array.from(
      { length: size },
      (_, index): LimitPlan => ({ key: `m${group * size + index}`, payer, steps: dice.between(4, 7), afterMs })
    )
  })
  if (focus !== "limits") return limited
  // At the same moment: those that start together must not exceed the budget together.
  const capped = Array.from(
    { length: 2 * cappedTasks },
    (_, index): LimitPlan => ({ key: `m${groups * size + index}`, payer: cappedPayer, steps: cappedSteps, afterMs: 0 })
  )
  return [...limited.slice(0, limitedPayers.length), capped, ...limited.slice(limitedPayers.length)]
}

/** The words in the prompt. */
export const limitWords = ({ key, payer, steps }: LimitPlan): string => `limit ${key} ${payer} ${steps}`

/** While this file exists, no account refuses, so that the rest of the work ends. */
export const unlimitedFile = (root: string): string => `${root}/account/unlimited`

/**
 * Takes the place of Claude Code: `sh limited.sh WORDS ARGUMENT...`, with no words where a session is resumed. A task with an
 * odd number counts its tokens over the session, the others tell what each run used.
 */
export const limitedScript = (root: string, { closed, period }: Windows): string => `
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
if [ -n "$resumed" ]; then read -r key payer steps done <"$file"; else
  set -- $words
  key=$2 payer=$3 steps=$4 done=0
fi
begun=$done model=claude-fake each=${plainTokens} pause=0.7 phase=0
case $payer in
  a1) phase=$((${period} / 3)) ;;
  a2) phase=$((${period} * 2 / 3)) ;;
  ${cappedPayer}) model=claude-opus-fake each=${cappedTokens} pause=0.4 ;;
esac
note() { read -r up rest </proc/uptime; echo "$up $BACKBEAT_TASK_ID $*" >>"${root}/journal/$key"; }
counts() { echo '{"'$model'":{"inputTokens":'$1',"outputTokens":0,"cacheReadInputTokens":0,"cacheCreationInputTokens":0,"costUSD":'$(($1 * ${tokenMicro}))'e-6}}'; }
used() {
  case \${key#m} in
    *[13579]) echo '"total_cost_usd":'$((done * each * ${tokenMicro}))'e-6,"modelUsage":'$(counts $((done * each))) ;;
    *) echo '"model_usage_since_last_result":'$(counts $(((done - begun) * each))) ;;
  esac
}
claim=$(readlink "/proc/$$/fd/1")
claim=\${claim%/*}
claim=\${claim##*/}
note start "$claim" "$session" "\${resumed:-0}"
say '"type":"system","subtype":"init"'
while [ "$done" -lt "$steps" ]; do
  # One clock for both: all refusals of a window tell the same end.
  now=$(date +%s)
  at=$(((now + phase) % ${period}))
  if [ "$payer" != ${cappedPayer} ] && [ $at -lt ${closed} ] && [ ! -e "${unlimitedFile(root)}" ]; then
    note refused "$claim"
    resets=$((now + ${closed} - at))
    say '"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":'$resets',"rateLimitType":"five_hour","isUsingOverage":false}'
    say '"type":"result","subtype":"success","is_error":true,"api_error_status":429,"api_error_type":"rate_limit_error","api_error":"usage_limit_reached","result":"You have hit your 5-hour limit",'$(used)
    exit 1
  fi
  done=$((done + 1))
  echo "$key $payer $steps $done" >"$file.new" && mv "$file.new" "$file"
  note step $done "$claim"
  say '"type":"assistant","message":{"id":"'"$session-$done"'","model":"'$model'","usage":{"input_tokens":'$each',"output_tokens":0},"content":[{"type":"text","text":"step '$done'"}]}'
  sleep $pause
done
note end 0
say '"type":"result","subtype":"success","is_error":false,"result":"did '$steps' steps",'$(used)
`
