/** The largest body of a request, in bytes: the longest prompt and some room. */
export const maxBodyBytes = 65 * 1024 * 1024
