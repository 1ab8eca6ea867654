/** What the benchmark does to databases by SQL. */

/** Lanes of accounts that `distribute` makes. */
export declare const lanes: number
/** Copies the newest task of the file `count` times; returns its id. */
export declare const fill: (
  file: string,
  count: number,
  options?: { readonly prefix?: string; readonly queued?: boolean }
) => string
export declare const distribute: (file: string) => void
export declare const closeLanes: (file: string, open: number) => void
export declare const layered: (
  file: string,
  levels: number,
  width: number
) => { readonly lowest: string; readonly highest: ReadonlyArray<string> }
