/** What the editors of other programs' configuration files take and answer. */

/** One entry of a configuration file: values are texts, lists of texts, truth values, or entries again. */
export type Entry = { readonly [key: string]: string | boolean | ReadonlyArray<string> | Entry }

export const isEntry = (value: Entry[string]): value is Entry => typeof value === "object" && !Array.isArray(value)

export type EditResult =
  | { readonly _tag: "Edited"; readonly text: string }
  /** The file is not touched; `problem` follows its path in a sentence. */
  | { readonly _tag: "Refused"; readonly problem: string }
