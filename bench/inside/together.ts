/** The start of a race between processes: each says when it is ready, and all begin at the moment they then receive. */

/** The code of a process that has just started is not compiled yet: that is measured as a cold start, and not here. */
export const warmUpCycles = 150

/** Says that this process is ready. Returns at the moment to begin. */
export const together = async (): Promise<void> => {
  process.stdout.write("ready\n")
  const at = await new Promise<number>((resolve) => {
    process.stdin.setEncoding("utf8").once("data", (text) => resolve(Number(text)))
  })
  process.stdin.destroy()
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, at - Date.now())))
}
