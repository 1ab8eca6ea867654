/** What the build (and the test runner) puts in place of names. */

/** The version in package.json. */
declare const __BACKBEAT_VERSION__: string

/** Put in by the build of the MCP server: the JSON Schemas of all tools as JSON, by name. Absent where sources run as they are. */
declare const __BACKBEAT_TOOL_SCHEMAS__: string | undefined
