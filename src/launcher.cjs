#!/usr/bin/env node
/** Starts `beat`: checks Node, picks the bundle by the first arguments, and loads it through V8's code cache. */
"use strict"
// No "node:" names, and the build lowers the syntax: an outdated Node must get as far as the message at the end.
const fs = require("fs")
const path = require("path")

/** Filled in by the build: the digest of each bundle, which names its cache. */
const digests = __BUNDLE_DIGESTS__
const version = __BACKBEAT_VERSION__

const major = Number(process.versions.node.split(".")[0])

/** The only forms that the MCP bundle takes. The light bundle, which has the parser, refuses all others. */
const startsMcp = /^mcp\nstart(\n--tools[=\n](core|all))?$/

/** The worker, the MCP server, the web server, the doctor and the live screen have their own bundles; all other commands, including help, use the light bundle. */
const pick = (words) => {
  const help = words.some((word) => word === "--help" || word === "-h")
  if (!help && words[0] === "worker" && digests.worker) return "worker"
  if (!help && startsMcp.test(words.join("\n")) && digests.mcp) return "mcp"
  if (!help && words[0] === "doctor" && digests.torture) return "torture"
  if (!help && (words[0] === "web" || words[0] === "api") && digests.web) return "web"
  if (!help && words[0] === "top" && digests.top) return "top"
  const worker = words[0] === "logs" && words.includes("--worker")
  if (!help && (worker || ["metrics", "timeline", "support"].includes(words[0])) && digests.observe) return "observe"
  return "cli"
}

/**
 * A closed pipe or a full disk behind stdout or stderr must not throw. The commands get the error in the callback of each
 * write and decide what it means; a worker ignores it. A stream is created at its first use.
 */
const survivePipes = () => {
  for (const name of ["stdout", "stderr"]) {
    const { get } = Object.getOwnPropertyDescriptor(process, name)
    const define = (getter) =>
      Object.defineProperty(process, name, { configurable: true, enumerable: true, get: getter })
    define(() => {
      const stream = get.call(process)
      define(() => stream)
      stream.on("error", () => {})
      return stream
    })
  }
}

/** A directory that belongs to this user and that no other user can write to: its content is executed. */
const trusted = (directory) => {
  try {
    const stat = fs.statSync(directory)
    return stat.isDirectory() && stat.uid === process.geteuid() && (stat.mode & 0o022) === 0
  } catch (_) {
    return false
  }
}

const cacheDirectory = () => {
  const beside = path.join(__dirname, ".cache")
  const configured = process.env.XDG_CACHE_HOME || ""
  const home = process.env.HOME || ""
  // A relative variable counts for nothing, as XDG has it; and nothing is written into the root directory.
  const base = path.isAbsolute(configured)
    ? configured
    : path.resolve("/", home) === "/"
      ? ""
      : path.join(home, ".cache")
  const candidates = trusted(__dirname) ? [beside] : []
  if (path.isAbsolute(base)) candidates.push(path.join(base, "backbeat"))
  for (const directory of candidates) {
    if (trusted(directory)) return directory
    try {
      fs.mkdirSync(directory, { recursive: true, mode: 0o700 })
      if (trusted(directory)) return directory
    } catch (_) {
      // Read-only, or owned by another user: try the next one.
    }
  }
  return null
}

/** Several Node versions and installations may share the directory, but it never grows. */
const kept = 6
const trailerBytes = 256
const dayMillis = 86400000

/** The files of a cache, newest first. */
const cachesOf = (directory, cache) =>
  fs
    .readdirSync(directory)
    .filter((name) => name.startsWith(`${cache}.`))
    .map((name) => ({ name, at: fs.statSync(path.join(directory, name)).mtimeMs }))
    .sort((a, b) => b.at - a.at)

const prune = (directory, cache) => {
  for (const { name } of cachesOf(directory, cache).slice(kept)) fs.rmSync(path.join(directory, name), { force: true })
}

/**
 * Whether a cache may be stored. Caches of this build that were written today are not evicted by one more set of flags: if more
 * sets take turns than there are places, each would evict the next one to be used, and every start would compile everything.
 */
const hasRoom = (directory, cache, file) => {
  const build = path.basename(file).split(".").slice(-2).join(".")
  const others = cachesOf(directory, cache).filter(
    ({ at, name }) => name !== path.basename(file) && name.endsWith(`.${build}`) && Date.now() - at < dayMillis
  )
  return others.length < kept
}

/** The code cache, then the commands that it has seen: each command adds the functions that V8 compiled for it. */
const store = (directory, cache, file, script, commands) => {
  const temporary = `${file}.${process.pid}`
  try {
    if (!hasRoom(directory, cache, file)) return
    const trailer = Buffer.alloc(trailerBytes, " ")
    trailer.write(commands.join(","))
    const out = fs.openSync(temporary, "w", 0o600)
    fs.writeFileSync(out, Buffer.concat([script.createCachedData(), trailer]))
    // V8 does not verify a cache file, so a power failure must not leave half a file under the final name.
    fs.fsyncSync(out)
    fs.closeSync(out)
    fs.renameSync(temporary, file)
    prune(directory, cache)
  } catch (_) {
    // A cache that cannot be written only costs time.
    try {
      fs.rmSync(temporary, { force: true })
    } catch (_) {}
  }
}

/** Commands that only look, and that people and agents run most: their cache holds no functions of other commands. */
const looking = [".", "list", "status", "logs", "wait", "why", "result"]

/** `command` is the name under which the cache records what this process runs. */
const loadCached = (bundle, command, directory) => {
  const cache = bundle === "cli" && looking.includes(command) ? "look" : bundle
  const vm = require("vm")
  const filename = path.join(__dirname, `${bundle}.cjs`)
  // The digest distinguishes releases, whose files all have the same time from npm; the time distinguishes builds.
  const built = fs.statSync(filename).mtimeMs.toString(36)
  // V8 rejects code that was compiled with other flags of its own, so each set of those has its own cache. The tag is the same
  // for sets that differ only in flags of Node, such as --no-warnings. Without flags nothing is loaded to ask for it.
  const hasFlags = process.execArgv.length > 0 || Boolean(process.env.NODE_OPTIONS)
  const flags = hasFlags ? `-${require("v8").cachedDataVersionTag().toString(36)}` : ""
  const node = `${process.version}-${process.arch}${flags}`
  const file = path.join(directory, `${cache}.${node}.${digests[bundle]}.${built}`)
  const source = `(function (exports, require, module, __filename, __dirname) {${fs.readFileSync(filename, "latin1")}\n})`
  let cachedData
  let commands = []
  try {
    const bytes = fs.readFileSync(file)
    const end = bytes.length - trailerBytes
    cachedData = bytes.subarray(0, end)
    commands = bytes.toString("latin1", end).trim().split(",")
  } catch (_) {
    // None yet.
  }
  const script = new vm.Script(source, {
    filename,
    cachedData,
    importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER
  })
  if (cachedData === undefined || script.cachedDataRejected) commands = []
  const known = commands.includes(command)
  const full = commands.join(",").length + command.length >= trailerBytes
  if (!known && !full) {
    const save = () => store(directory, cache, file, script, commands.concat(command))
    if (bundle === "cli" || bundle === "torture" || bundle === "top" || bundle === "observe")
      process.on("exit", (code) => code === 2 || code === 70 || save())
    // A worker may end by kill -9, so its cache is taken once it has started.
    else setTimeout(save, 1500).unref()
  }
  const module = { exports: {}, filename, id: filename, loaded: false }
  return () =>
    script.runInThisContext()(module.exports, require("module").createRequire(filename), module, filename, __dirname)
}

/** The name of the command in the code cache: `beat` alone is one of the most used commands. */
const commandOf = ([first]) => (first === undefined ? "." : /^[a-z]{1,16}$/.test(first) ? first : "-")

const load = (bundle, words) => {
  const plain = () => require(`./${bundle}.cjs`)
  if (process.env.NODE_DISABLE_COMPILE_CACHE) return plain
  try {
    const directory = cacheDirectory()
    if (directory === null) return plain
    // Node's own `enableCompileCache` (from Node 22) keeps a quarter of what this keeps, and costs a start 40 ms more.
    return loadCached(bundle, commandOf(words), directory)
  } catch (_) {
    return plain
  }
}

/** What these words print, where it is a text of the build: the version, or the script for a shell's completion. */
const textFor = (words) => {
  if (words.length === 1 && (words[0] === "--version" || words[0] === "-V")) return `${version}\n`
  if (words.length === 2 && (words[0] === "completion" || words[0] === "completions")) {
    const script = require("./completion.cjs").scripts[words[1]]
    if (typeof script === "string") return script
  }
  return null
}

/** Whether the answer is printed. Where it cannot be, the bundle prints it again and reports why. */
const answered = (words) => {
  const text = textFor(words)
  if (text === null) return false
  try {
    // All at one time: a pipe takes up to 4 kB whole or not at all.
    return fs.writeSync(1, text) === Buffer.byteLength(text)
  } catch (_) {
    return false
  }
}

/**
 * As process 1 of a container a signal without a handler is lost, and a pid of 1 is never that of a worker. So the work is
 * done in a child, which gets every signal that asks for an end.
 */
const inChild = () => {
  const child = require("child_process").spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: "inherit"
  })
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"]) process.on(name, () => child.kill(name))
  child.on("error", (error) => {
    process.stderr.write(`beat: cannot be started as a child of process 1: ${error.message}\n`)
    process.exit(70)
  })
  child.on("exit", (code, signal) => process.exit(signal ? 128 + require("os").constants.signals[signal] : code))
}

// They call themselves Node and load no native module of its.
const other = process.versions.bun ? "Bun" : process.versions.deno ? "Deno" : null
if (other !== null) {
  process.stderr.write(
    `beat: needs Node 20 or newer; this is ${other} (${process.execPath}). Run: node ${__filename}\n`
  )
  process.exit(70)
}
if (major < 20) {
  process.stderr.write(`beat: needs Node 20 or newer; this is ${process.version} (${process.execPath}).\n`)
  process.exit(70)
}
const words = process.argv.slice(2)
const bundle = pick(words)
if (process.pid === 1 && (bundle === "mcp" || bundle === "worker" || bundle === "web")) inChild()
else if (!answered(words)) {
  // Both run for a long time and do little at a time, so their nursery stays as small as that of a worker launched with the
  // flag for it. Here it is too late to limit its size.
  if (bundle === "mcp" || bundle === "worker" || bundle === "web")
    require("v8").setFlagsFromString("--semi-space-growth-factor=1")
  survivePipes()
  load(bundle, words)()
}
