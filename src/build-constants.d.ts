/** What the build (and the test runner) puts in place of names. */

/** The version in package.json. */
declare const __BACKBEAT_VERSION__: string
