/** The plain text inside a help document of `@effect/cli`. */
import type * as HelpDoc from "@effect/cli/HelpDoc"
import type * as Span from "@effect/cli/HelpDoc/Span"

const spanText = (span: Span.Span): string => {
  switch (span._tag) {
    case "Text":
    case "URI":
      return span.value
    case "Sequence":
      return spanText(span.left) + spanText(span.right)
    case "Highlight":
    case "Strong":
    case "Weak":
      return spanText(span.value)
  }
}

/** Its paragraphs. */
export const textOf = (doc: HelpDoc.HelpDoc): ReadonlyArray<string> => {
  switch (doc._tag) {
    case "Empty":
      return []
    case "Header":
    case "Paragraph":
      return [spanText(doc.value)].filter((text) => text.length > 0)
    case "DescriptionList":
      return doc.definitions.flatMap(([, block]) => textOf(block))
    case "Enumeration":
      return doc.elements.flatMap(textOf)
    case "Sequence":
      return [...textOf(doc.left), ...textOf(doc.right)]
  }
}

// Sentences that the library adds automatically and that repeat the usage line.
const added =
  /^(This (setting|argument|option) (is|must|may)\b.*|A user-defined piece of text\.|An integer\.|A true or false value\.|One of the following: .*)$/

/** The description of each option or argument, in order. */
export const descriptionsOf = (doc: HelpDoc.HelpDoc): ReadonlyArray<string> => {
  switch (doc._tag) {
    case "DescriptionList":
      return doc.definitions.map(([, block]) =>
        textOf(block)
          .filter((text) => !added.test(text))
          .join(" ")
      )
    case "Sequence":
      return [...descriptionsOf(doc.left), ...descriptionsOf(doc.right)]
    default:
      return []
  }
}
