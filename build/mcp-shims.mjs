/** The SDK's validator of JSON Schemas is never asked: our tools read their arguments by their own schemas. */
export { default as process } from "node:process"

export class DefaultJsonSchemaValidator {
  getValidator() {
    throw new Error("no validator is bundled")
  }
}
