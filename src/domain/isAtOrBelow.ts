/** Whether a directory is another one or lies below it. Both are absolute; `top` may end in a slash. */
export const isAtOrBelow = (directory: string, top: string): boolean => {
  const bare = top.replace(/\/+$/, "")
  return directory === bare || directory === top || directory.startsWith(`${bare}/`)
}
