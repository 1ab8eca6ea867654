/** The version of this build. */
export const version: string = __BACKBEAT_VERSION__
