/** The command line of `npm run bench`. */
export declare const titles: Readonly<Record<string, string>>
export declare const seconds: Readonly<Record<string, number>>
export declare const limitSeconds: number
export declare const help: string
export declare const readOptions: (words: ReadonlyArray<string>) => {
  readonly problem: string | null
  readonly only: ReadonlyArray<string>
  readonly quick: boolean
  readonly instructions: boolean
  readonly withOriginal: boolean
  readonly help: boolean
}
