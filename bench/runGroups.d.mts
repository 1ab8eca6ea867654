/** Runs groups one after the other within the time of a whole run, and names the figures that were not taken. */

export interface GroupContext {
  readonly ends: () => number
  readonly report: (row: { readonly name: string; readonly unit: string; readonly beat: ReadonlyArray<number> }) => void
}

export declare const runGroups: (options: {
  readonly clock: () => number
  readonly context: { readonly quick: boolean; readonly instructions: boolean }
  readonly groups: Readonly<Record<string, (context: GroupContext) => Promise<void>>>
  readonly limitSeconds: number
  readonly only: ReadonlyArray<string>
  readonly say: (line: string) => void
  readonly seconds: Readonly<Record<string, number>>
  readonly titles: Readonly<Record<string, string>>
}) => Promise<{
  readonly failed: ReadonlyArray<string>
  readonly notTaken: ReadonlyArray<{ readonly group: string; readonly name: string; readonly why: string }>
  readonly rows: ReadonlyArray<{ readonly group: string; readonly name: string }>
}>
