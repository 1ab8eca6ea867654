/** Used in the place of the layout library of @effect/cli, of which no function is called: see `noPrinter` in build.mjs. */
export {}
