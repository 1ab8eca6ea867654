/** Where the steps of a pipeline are drawn: in columns, each step right of all that it waits for. */

export const node = { width: 168, height: 52 } as const
const gap = { x: 44, y: 14 } as const

export interface Placed {
  readonly x: number
  readonly y: number
}

/** `after` names steps by their place. Steps come after those that they wait for. */
export const layout = (steps: ReadonlyArray<{ readonly after: ReadonlyArray<number> }>) => {
  const columns: Array<number> = []
  const rows: Array<number> = []
  const taken: Array<number> = []
  for (const { after } of steps) {
    const column = Math.max(0, ...after.map((before) => (columns[before] ?? 0) + 1))
    columns.push(column)
    rows.push(taken[column] ?? 0)
    taken[column] = (taken[column] ?? 0) + 1
  }
  const places = columns.map(
    (column, at): Placed => ({
      x: column * (node.width + gap.x),
      y: (rows[at] ?? 0) * (node.height + gap.y)
    })
  )
  const edges = steps.flatMap(({ after }, to) =>
    after.flatMap((from) => {
      const start = places[from]
      const end = places[to]
      if (start === undefined || end === undefined) return []
      const [x1, y1, x2, y2] = [start.x + node.width, start.y + node.height / 2, end.x, end.y + node.height / 2]
      const middle = (x1 + x2) / 2
      return [{ from, to, path: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}` }]
    })
  )
  return {
    places,
    edges,
    width: Math.max(1, taken.length) * (node.width + gap.x) - gap.x,
    height: Math.max(1, ...taken) * (node.height + gap.y) - gap.y
  }
}
