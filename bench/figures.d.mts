/** The names of the figures that each group takes. */
export declare const figuresOf: (
  group: string,
  options: { readonly quick: boolean; readonly instructions: boolean }
) => ReadonlyArray<string>
