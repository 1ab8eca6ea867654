/** What the build (and the test runner) puts in place of names. */

/** The version in package.json. */
declare const __BACKBEAT_VERSION__: string

/** The name of a promise to be broken, in a build made for that. Empty in the product; absent where sources run as they are. */
declare const __BACKBEAT_MUTATION__: string | undefined

/** Put in by the build of the MCP server: the JSON Schemas of all tools as JSON, by name. Absent where sources run as they are. */
declare const __BACKBEAT_TOOL_SCHEMAS__: string | undefined
