/** Draws what `tmux capture-pane -e` gives as SVG: one screen, or several one after the other without a script. */

const [cell, line, margin, size] = [8.4, 19, 16, 14]

/** The colours of a terminal by their numbers, then those of its brighter half. */
const palette = "#45475a #f38ba8 #a6e3a1 #f9e2af #89b4fa #f5c2e7 #94e2d5 #bac2de".split(" ")
const [foreground, background, faint] = ["#cdd6f4", "#1e1e2e", "#9399b2"]

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const plain = { colour: null, bold: false, dim: false, inverse: false }

const styled = (style, codes) => {
  let next = style
  for (const code of codes) {
    if (code === 0) next = plain
    else if (code === 1) next = { ...next, bold: true }
    else if (code === 2) next = { ...next, dim: true }
    else if (code === 7) next = { ...next, inverse: true }
    else if (code === 22) next = { ...next, bold: false, dim: false }
    else if (code === 27) next = { ...next, inverse: false }
    else if (code === 39) next = { ...next, colour: null }
    else if (code >= 30 && code <= 37) next = { ...next, colour: palette[code - 30] }
    else if (code >= 90 && code <= 97) next = { ...next, colour: palette[code - 90] }
  }
  return next
}

/** The runs of one style in a line: where each begins, and its text. */
const runsOf = (text) => {
  const runs = []
  let style = plain
  let at = 0
  for (const part of text.split(/(\x1b\[[\d;]*m|\x1b\(B)/)) {
    const codes = /^\x1b\[([\d;]*)m$/.exec(part)
    if (codes !== null) style = styled(style, codes[1].split(";").map(Number))
    else if (part !== "" && !part.startsWith("\x1b")) {
      runs.push({ at, text: part, style })
      at += part.length
    }
  }
  return runs
}

const fillOf = ({ colour, dim, inverse }) => (inverse ? background : (colour ?? (dim ? faint : foreground)))

/** What is between two gaps, and where it begins: a viewer may make one space of several. */
const wordsIn = (text) => Array.from(text.matchAll(/\S+(?: \S+)*/g), ({ index, 0: words }) => ({ index, words }))

const drawn = ({ at, style, text }) => {
  const mark = style.inverse
    ? `<rect x="${(margin + at * cell).toFixed(1)}" y="-14" width="${(text.length * cell).toFixed(1)}" height="${line}" fill="${fillOf({ ...style, inverse: false })}"/>`
    : ""
  const weight = style.bold ? ' font-weight="bold"' : ""
  const words = wordsIn(text).map(
    ({ index, words }) =>
      `<text x="${(margin + (at + index) * cell).toFixed(1)}" fill="${fillOf(style)}"${weight}>${escaped(words)}</text>`
  )
  return `${mark}${words.join("")}`
}

/** Each line is drawn once, however many screens show it. */
const makeLines = () => {
  const known = new Map()
  const use = (text) => {
    const body = runsOf(text).map(drawn).join("")
    if (body === "") return null
    if (!known.has(body)) known.set(body, `l${known.size}`)
    return known.get(body)
  }
  const screenOf = (text) =>
    text
      .split("\n")
      .flatMap((row, index) => {
        const id = use(row)
        return id === null ? [] : [`<use href="#${id}" y="${margin + 14 + index * line}"/>`]
      })
      .join("")
  const definitions = () => `<defs>${Array.from(known, ([body, id]) => `<g id="${id}">${body}</g>`).join("\n")}</defs>`
  return { screenOf, definitions }
}

const frame = (columns, rows, label, style, body) => {
  const width = Math.round(columns * cell + 2 * margin)
  const height = Math.round(rows * line + 2 * margin)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(label)}" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${size}">
<style>${style}</style><rect width="100%" height="100%" rx="8" fill="${background}"/>
${body}
</svg>
`
}

export const stillSvg = ({ columns, label, rows, screen }) => {
  const { definitions, screenOf } = makeLines()
  const body = screenOf(screen)
  return frame(columns, rows, label, "", `${definitions()}\n${body}`)
}

/** `screens` are shown in turn, each for its seconds, and again. Who wants no motion sees the last one. */
export const movingSvg = ({ columns, label, rows, screens }) => {
  const { definitions, screenOf } = makeLines()
  const total = screens.reduce((sum, { seconds }) => sum + seconds, 0)
  let at = 0
  const parts = screens.map(({ screen, seconds }, index) => {
    const [from, to] = [at, at + seconds].map((value) => ((value / total) * 100).toFixed(2))
    at += seconds
    // Steps, so that no two screens are seen together.
    const keys = `@keyframes k${index}{0%{visibility:${index === 0 ? "visible" : "hidden"}}${from}%{visibility:visible}${to}%,100%{visibility:hidden}}`
    const rule = `#s${index}{visibility:hidden;animation:k${index} ${total}s step-end infinite}`
    return { keys, rule, body: `<g id="s${index}" class="s">${screenOf(screen)}</g>` }
  })
  const style = [
    ...parts.map(({ keys }) => keys),
    `.s{visibility:hidden}#s${screens.length - 1}{visibility:visible}`,
    "@media (prefers-reduced-motion:no-preference){",
    ...parts.map(({ rule }) => rule),
    "}"
  ].join("\n")
  return frame(columns, rows, label, style, `${definitions()}\n${parts.map(({ body }) => body).join("\n")}`)
}
