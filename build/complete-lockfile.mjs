/**
 * Adds to package-lock.json the packages of other platforms that the registry at hand does not carry. npm leaves those
 * out when it writes the file, and `npm ci` then refuses it. Run it after `npm install` where a test asks for it.
 */
import { readFileSync, writeFileSync } from "node:fs"

const file = new URL("../package-lock.json", import.meta.url)
const lock = JSON.parse(readFileSync(file, "utf8"))
const packages = lock.packages

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"]
const processors = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"]
const libraries = { glibc: "glibc", gnu: "glibc", gnueabihf: "glibc", musl: "musl", musleabihf: "musl" }

/** What such packages say of themselves, read from their names: `@rollup/rollup-linux-x64-musl`. */
const platformOf = (name) => {
  const words = name.split("/").pop().split("-")
  const os = words.filter((word) => systems.includes(word))
  const cpu = words.filter((word) => processors.includes(word))
  const libc = os.includes("linux") ? words.flatMap((word) => libraries[word] ?? []) : []
  return { ...(cpu.length > 0 && { cpu }), ...(libc.length > 0 && { libc }), ...(os.length > 0 && { os }) }
}

const present = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf("node_modules/") + 13)))
for (const { dev, optionalDependencies } of Object.values(packages)) {
  for (const [name, version] of Object.entries(optionalDependencies ?? {})) {
    if (present.has(name)) continue
    if (!/^\d+\.\d+\.\d+/.test(version)) throw new Error(`${name}: ${version} is not an exact version`)
    packages[`node_modules/${name}`] = { version, ...(dev && { dev }), optional: true, ...platformOf(name) }
    present.add(name)
  }
}
const order = ([a], [b]) => (a < b ? -1 : 1)
writeFileSync(
  file,
  `${JSON.stringify({ ...lock, packages: Object.fromEntries(Object.entries(packages).sort(order)) }, null, 2)}\n`
)
