/** What bounds the start of tasks: limits of accounts, budgets, pauses and groups. */
import type { Window } from "../../domain/limits/Window.ts"
import { periodWords, scopeWords } from "../../programs/budgets/holdWords.ts"
import type { Holds } from "../../programs/reports/holds.ts"
import { amountWords } from "../../text/amountWords.ts"
import { moment, relative } from "../../text/FormatDuration.ts"
import { Empty, Heading, Problem, Table } from "./parts.tsx"
import { now, useLoaded } from "./State.ts"
import { many, plain } from "./Words.ts"

const windowNames: Readonly<Record<string, string>> = {
  five_hour: "5 hours",
  seven_day: "7 days",
  yours: "closed by you"
}

const windowName = ({ family, name }: Window): string => {
  const word = windowNames[name] ?? plain(name.replaceAll("_", " "))
  return family === "" ? word : `${word}, ${plain(family)}`
}

/** The hash after the provider, which is what `beat limits` shows. */
const shortAccount = (account: string): string => account.split("/").at(-1) ?? account

const when = (at: number | null) => (at === null ? "–" : <time title={moment(at)}>{relative(at, now.value)}</time>)

const Used = ({ label, share }: { readonly label: string; readonly share: number | null }) =>
  share === null ? (
    <>?</>
  ) : (
    <>
      <meter aria-label={label} min={0} max={1} low={0.8} high={0.99} optimum={0} value={Math.min(1, share)} />{" "}
      {Math.round(share * 100)} %
    </>
  )

const Accounts = ({ accounts }: Pick<Holds, "accounts">) =>
  accounts.length === 0 ? (
    <Empty>No limit was seen yet.</Empty>
  ) : (
    <Table
      name="Limits of accounts"
      titles={["Account", "Window", "Used", "State", "Resets", "Waiting"]}
      rows={accounts.flatMap((account) => {
        const name = `${plain(account.agent)} ${shortAccount(account.account)}`
        const waiting = account.waiting === 0 ? "–" : many(account.waiting, "task")
        if (account.windows.length === 0) return [[name, "no limit seen", "", "open", "", waiting]]
        return account.windows.map((window, at) => [
          at === 0 ? name : "",
          windowName(window),
          <Used label={`${name}, ${windowName(window)}`} share={window.used} />,
          window.closed && (window.resetsAt ?? 0) > now.value ? "closed" : "open",
          when(window.resetsAt),
          at === 0 ? waiting : ""
        ])
      })}
    />
  )

const Budgets = ({ budgets }: Pick<Holds, "budgets">) =>
  budgets.length === 0 ? (
    <Empty>No budgets. In a terminal: beat budget set NAME --day 10usd</Empty>
  ) : (
    <Table
      name="Budgets"
      titles={["Budget", "Covers", "Spent", "Of", "Reserved", "Period", "Next period"]}
      rows={budgets.map((budget) => {
        const { amount, metric, name, period, reserved, spent, to, used } = budget
        return [
          plain(name),
          plain(scopeWords(budget)),
          <>
            <Used label={`Budget ${name}`} share={(spent + used) / amount} /> {amountWords(metric, spent + used)}
          </>,
          amountWords(metric, amount),
          reserved === 0 ? "–" : amountWords(metric, reserved),
          periodWords[period],
          when(to)
        ]
      })}
    />
  )

const Pauses = ({ gates, groups }: Pick<Holds, "gates" | "groups">) => (
  <>
    {gates.length === 0 ? (
      <Empty>Nothing is paused.</Empty>
    ) : (
      <Table
        name="Pauses"
        titles={["Paused", "By", "Since", "Until", "Reason"]}
        rows={gates.map((gate) => [
          gate.scope === "task" ? (
            <a href={`#/task/${gate.name}`}>task {gate.name}</a>
          ) : gate.scope === "pipeline" ? (
            <a href={`#/pipelines/${gate.name}`}>pipeline {gate.name}</a>
          ) : gate.scope === "all" ? (
            "everything"
          ) : (
            plain(`${gate.scope} ${gate.name}`)
          ),
          plain(gate.by),
          when(gate.at),
          gate.until === null ? "a person ends it" : when(gate.until),
          gate.reason === null ? "" : plain(gate.reason)
        ])}
      />
    )}
    {groups.length > 0 && (
      <Table
        name="Groups"
        titles={["Group", "Limit", "Running", "Waiting"]}
        rows={groups.map(({ limit, name, running, waiting }) => [
          plain(name),
          limit === null ? "none" : String(limit),
          String(running),
          String(waiting)
        ])}
      />
    )}
  </>
)

export const Limits = () => {
  const { error, value } = useLoaded<Holds>("/limits", 5000)
  return (
    <>
      <Heading title="Limits">Limits</Heading>
      <Problem text={error} />
      {value !== null && (
        <>
          <h2>Accounts</h2>
          <Accounts accounts={value.accounts} />
          <h2>Budgets</h2>
          <Budgets budgets={value.budgets} />
          <h2>Pauses and groups</h2>
          <Pauses gates={value.gates} groups={value.groups} />
        </>
      )}
    </>
  )
}
