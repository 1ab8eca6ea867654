/** The texts of all modules with their declarations made lazy. `sources` maps paths to texts; the exports of `entries` keep their form. */
export const lazyDeclarations: (
  sources: ReadonlyMap<string, string>,
  entries: ReadonlyArray<string>
) => ReadonlyMap<string, string>
