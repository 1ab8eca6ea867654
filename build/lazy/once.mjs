/** A value that is made at its first use. */
export const once = (make) => {
  let made
  return () => (made ??= make())
}
