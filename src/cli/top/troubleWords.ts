/** What the live screen says while it cannot read the store. It opens it again, so it never asks for a new start. */
import type { StorageError } from "../../domain/Errors.ts"

export const troubleWords = ({ message, path, reason }: StorageError): string => {
  if (reason === "busy") return "Waiting for the database: another process holds it."
  if (reason === "moved") return `${path ?? "The database"} was removed or replaced: opening it again.`
  const [words = ""] = message.split("\n")
  return words
}
