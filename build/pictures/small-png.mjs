/**
 * Writes a screenshot with a palette of 256 colours, which takes a third of the bytes. Weighed: `sharp` and `pngquant-bin`, which bring
 * binaries of 20 MB and 1 MB for the two pictures of the documentation.
 */
import { crc32, deflateSync, inflateSync } from "node:zlib"

const mostColours = 256

const chunksOf = (png) => {
  const chunks = []
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at)
    chunks.push({ name: png.toString("latin1", at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) })
    at += length + 12
  }
  return chunks
}

const paeth = (left, above, corner) => {
  const [a, b, c] = [left, above, corner].map((value) => Math.abs(left + above - corner - value))
  return a <= b && a <= c ? left : b <= c ? above : corner
}

/** The bytes of the pixels: each line has its own filter. */
const unfiltered = (raw, width, height, size) => {
  const stride = width * size
  const pixels = Buffer.alloc(stride * height)
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (stride + 1)]
    for (let x = 0; x < stride; x += 1) {
      const left = x < size ? 0 : pixels[y * stride + x - size]
      const above = y === 0 ? 0 : pixels[(y - 1) * stride + x]
      const corner = x < size || y === 0 ? 0 : pixels[(y - 1) * stride + x - size]
      const guess = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter]
      pixels[y * stride + x] = raw[y * (stride + 1) + 1 + x] + guess
    }
  }
  return pixels
}

const chunk = (name, data) => {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

const distance = (one, other) => {
  const part = (shift) => ((one >> shift) & 255) - ((other >> shift) & 255)
  return part(16) ** 2 + part(8) ** 2 + part(0) ** 2
}

/** Takes what Chromium writes: 8 bits, with or without an alpha that is always full. Rare colours become the nearest frequent one. */
export const smallPng = (png) => {
  const chunks = chunksOf(png)
  const head = chunks[0].data
  const [width, height, size] = [head.readUInt32BE(0), head.readUInt32BE(4), head[9] === 6 ? 4 : 3]
  const raw = inflateSync(Buffer.concat(chunks.filter(({ name }) => name === "IDAT").map(({ data }) => data)))
  const pixels = unfiltered(raw, width, height, size)
  const colourAt = (index) => pixels.readUIntBE(index * size, 3)
  const counts = new Map()
  for (let index = 0; index < width * height; index += 1) {
    counts.set(colourAt(index), (counts.get(colourAt(index)) ?? 0) + 1)
  }
  const colours = Array.from(counts.keys()).sort((one, other) => counts.get(other) - counts.get(one))
  const palette = colours.slice(0, mostColours)
  const nearest = (colour) =>
    palette.reduce(
      (best, other, index) => (distance(colour, other) < distance(colour, palette[best]) ? index : best),
      0
    )
  const places = new Map(colours.map((colour, index) => [colour, index < mostColours ? index : nearest(colour)]))
  const lines = Buffer.alloc((width + 1) * height)
  for (let index = 0; index < width * height; index += 1) {
    lines[Math.floor(index / width) * (width + 1) + 1 + (index % width)] = places.get(colourAt(index))
  }
  const entries = Buffer.alloc(palette.length * 3)
  for (const [index, colour] of palette.entries()) entries.writeUIntBE(colour, index * 3, 3)
  const indexed = Buffer.from(head)
  // Colour type 3: a palette.
  indexed[9] = 3
  return Buffer.concat([
    png.subarray(0, 8),
    chunk("IHDR", indexed),
    chunk("PLTE", entries),
    chunk("IDAT", deflateSync(lines, { level: 9 })),
    chunk("IEND", Buffer.alloc(0))
  ])
}
