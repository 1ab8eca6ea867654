/** What a task does not get of its submitter. Real git, make and npm say what they set in a call. */
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { withoutCall } from "../../../src/layers/agents/starting/CallBound.ts"
import { capture } from "../../../src/layers/agents/starting/EnvironmentCapture.ts"

const base: Record<string, string> = {
  PATH: process.env.PATH ?? "/usr/bin:/bin",
  HOME: "/nowhere",
  LANG: "C.UTF-8",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_COUNT: "2",
  GIT_CONFIG_KEY_0: "user.name",
  GIT_CONFIG_VALUE_0: "t",
  GIT_CONFIG_KEY_1: "user.email",
  GIT_CONFIG_VALUE_1: "t@e",
  GIT_SSH_COMMAND: "ssh -i key"
}

const within = (body: (directory: string) => void): void => {
  const directory = fs.mkdtempSync(join(tmpdir(), "backbeat-test-"))
  try {
    body(directory)
  } finally {
    fs.rmSync(directory, { recursive: true, force: true })
  }
}

/** A program that writes the environment it has to `seen`. */
const dump = (directory: string): string => {
  const path = join(directory, "dump")
  const write = 'require("fs").writeFileSync(process.argv[1], JSON.stringify(process.env))'
  fs.writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' -e '${write}' '${join(directory, "seen")}'\n`, {
    mode: 0o755
  })
  return path
}

const seenIn = (directory: string): Record<string, string> => {
  const seen = JSON.parse(fs.readFileSync(join(directory, "seen"), "utf8"))
  const { _, OLDPWD, PWD, SHLVL, ...others } = seen
  return others
}

const run = (directory: string, program: string, args: ReadonlyArray<string>, environment = base) =>
  execFileSync(program, args, { cwd: directory, env: environment, stdio: "ignore" })

/** What git itself says belongs to one repository and one call. */
const local = (): ReadonlyArray<string> =>
  execFileSync("git", ["rev-parse", "--local-env-vars"], { encoding: "utf8" }).trim().split("\n")

describe("what only means something in the call", () => {
  for (const hook of ["pre-commit", "prepare-commit-msg", "post-commit", "post-checkout"]) {
    for (const tree of ["main", "linked"]) {
      it(`is not taken from a ${hook} hook in a ${tree} work tree`, () =>
        within((directory) => {
          const repository = join(directory, "r")
          run(directory, "git", ["init", "-q", repository])
          run(repository, "git", ["commit", "-q", "--allow-empty", "-m", "first"])
          const at = tree === "main" ? repository : join(directory, "linked")
          if (tree === "linked") run(repository, "git", ["worktree", "add", "-q", at])
          fs.mkdirSync(join(repository, ".git/hooks"), { recursive: true })
          fs.copyFileSync(dump(directory), join(repository, ".git/hooks", hook))
          fs.writeFileSync(join(at, "f"), "x")
          run(at, "git", ["add", "f"])
          run(at, "git", hook === "post-checkout" ? ["checkout", "-q", "-b", "other"] : ["commit", "-qam", "second"])
          const seen = seenIn(directory)
          assert.notDeepEqual(seen, base)
          assert.deepStrictEqual(withoutCall(seen), base)
        }))
    }
  }

  it("is not taken from the hooks of a push to a bare repository", () =>
    within((directory) => {
      run(directory, "git", ["init", "-q", "--bare", "bare"])
      run(directory, "git", ["init", "-q", "r"])
      fs.mkdirSync(join(directory, "bare/hooks"), { recursive: true })
      for (const hook of ["pre-receive", "update", "post-receive"]) {
        fs.copyFileSync(dump(directory), join(directory, "bare/hooks", hook))
        run(join(directory, "r"), "git", ["commit", "-q", "--allow-empty", "-m", hook])
        run(join(directory, "r"), "git", ["push", "-q", "../bare", "HEAD:refs/heads/x"])
        // Git itself takes the count away on the way into another repository.
        assert.deepStrictEqual({ ...withoutCall(seenIn(directory)), GIT_CONFIG_COUNT: "2" }, base)
        fs.rmSync(join(directory, "bare/hooks", hook))
      }
    }))

  for (const [name, args] of [
    ["an alias", ["-c", "alias.zz=!../dump", "zz"]],
    ["rebase --exec", ["rebase", "-q", "--exec", "../dump", "HEAD~1"]],
    ["a git command on the PATH", ["dump"]]
  ] as const) {
    it(`is not taken from ${name}`, () =>
      within((directory) => {
        const repository = join(directory, "r")
        run(directory, "git", ["init", "-q", repository])
        for (const at of ["1", "2"]) run(repository, "git", ["commit", "-q", "--allow-empty", "-m", at])
        fs.copyFileSync(dump(directory), join(directory, "git-dump"))
        const environment = { ...base, PATH: `${base.PATH}:${directory}` }
        run(repository, "git", args, environment)
        assert.deepStrictEqual(withoutCall(seenIn(directory)), environment)
      }))
  }

  it("is not taken from make, whose job server ends with it", () =>
    within((directory) => {
      fs.writeFileSync(join(directory, "Makefile"), "all:\n\t+@./dump\n")
      dump(directory)
      for (const flags of [["-j2"], ["-n"], ["-k", "-B"]]) {
        run(directory, "make", flags)
        assert.deepStrictEqual(withoutCall(seenIn(directory)), base)
      }
    }))

  it("is not taken from a script of npm, where the registry stays", () =>
    within((directory) => {
      const scripts = { x: "./dump" }
      fs.writeFileSync(join(directory, "package.json"), JSON.stringify({ name: "x", version: "1.0.0", scripts }))
      dump(directory)
      const own = { ...base, HOME: directory, npm_config_registry: "http://127.0.0.1:9/", npm_config_nodedir: "/n" }
      run(directory, "npm", ["run", "-s", "x"], own)
      const kept = withoutCall(seenIn(directory))
      assert.strictEqual(kept.npm_config_registry, own.npm_config_registry)
      assert.strictEqual(kept.npm_config_nodedir, "/n")
      for (const name of Object.keys(kept).filter((name) => name.startsWith("npm_"))) {
        assert.match(name, /^npm_config_(registry|nodedir|cache|cafile|userconfig|globalconfig|noproxy)$/)
      }
      assert.isUndefined(kept.INIT_CWD)
    }))

  it("is everything that git calls local, but for the configuration that a person gives", () => {
    const kept = Object.keys(withoutCall(Object.fromEntries(local().map((name) => [name, "1"]))))
    assert.deepStrictEqual(kept, ["GIT_CONFIG_COUNT"])
  })

  it("is told from what a person set", () => {
    const own = {
      ...{ PATH: "/usr/bin:/bin", GIT_AUTHOR_NAME: "A", GIT_AUTHOR_EMAIL: "a@e", GIT_COMMITTER_NAME: "A" },
      ...{ GIT_EDITOR: "vim", GIT_SEQUENCE_EDITOR: ":", GIT_SSH_COMMAND: "ssh", GIT_EXEC_PATH: "/opt/git/libexec" },
      ...{ MAKEFLAGS: "-j8", npm_config_registry: "r", npm_config_global: "true", GIT_ASKPASS: "a", ENV: "staging" },
      ...{ DIRENV_DIFF: "d", VIRTUAL_ENV: "v", SSH_AUTH_SOCK: "s", TERM: "xterm", POSIXLY_CORRECT: "1", "a.b": "c" }
    }
    assert.deepStrictEqual(withoutCall(own), own)
  })

  it("goes with shells, terminals and units, also where a list says what is captured", () => {
    const gone = [
      ...["SHELLOPTS", "BASHOPTS", "BASH_ENV", "BASH_FUNC_cd%%", "BASH_FUNC_which()", "TMUX", "TMUX_PANE", "STY"],
      ...["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC", "INVOCATION_ID"],
      ...["JOURNAL_STREAM", "GPG_TTY", "SSH_TTY", "CARGO_MAKEFLAGS", "BACKBEAT_BOOT_ID", "BACKBEAT_FAILPOINTS"],
      ...["GIT_PUSH_OPTION_0", "GIT_INTERNAL_TOPLEVEL", "npm_lifecycle_event", "MAKELEVEL"]
    ]
    const all: Record<string, string> = Object.fromEntries(gone.map((name) => [name, "1"]))
    assert.deepStrictEqual(withoutCall({ ...all, old: "() { :; }", HOME: "/h" }), { HOME: "/h" })
    assert.deepStrictEqual(capture({ ...all, HOME: "/h" }, "full", []), { HOME: "/h" })
    assert.deepStrictEqual(capture({ ...all, HOME: "/h", OTHER: "x" }, "allowlist", ["LISTEN_*"]), { HOME: "/h" })
  })
})
