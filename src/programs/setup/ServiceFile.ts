/** The files that tell systemd and launchd to keep a worker running. */

interface ServicePlan {
  /** Program and arguments that run `beat`. */
  readonly command: ReadonlyArray<string>
  readonly environment: Readonly<Record<string, string>>
  /** Where launchd puts what the worker says; systemd has its journal. */
  readonly log: string
}

export const unitName = "backbeat.service"
export const label = "dev.backbeat.worker"

/** Quoted for systemd, where a percent sign begins a specifier. */
const quoted = (text: string): string =>
  `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%").replaceAll("\n", "\\n")}"`

/** In an argument a dollar sign would begin a variable; the name of the program is taken literally. */
const word = (text: string): string => quoted(text).replaceAll("$", "$$$$")

/**
 * Only the worker itself is ended with the service: agents outlive every Backbeat process, including this one. An agent that
 * the kernel ends for its memory must not take the service along.
 */
export const systemdUnit = ({ command: [program = "", ...args], environment }: ServicePlan): string =>
  [
    "[Unit]",
    "Description=Backbeat worker: runs queued tasks and fires schedules",
    "StartLimitIntervalSec=0",
    "",
    "[Service]",
    `ExecStart=${[quoted(program), ...[...args, "worker", "--keep"].map(word)].join(" ")}`,
    ...Object.entries(environment).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`),
    "WorkingDirectory=%h",
    "KillMode=process",
    "OOMPolicy=continue",
    "Restart=always",
    "RestartSec=5",
    "",
    "[Install]",
    "WantedBy=default.target",
    ""
  ].join("\n")

const xml = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const strings = (values: ReadonlyArray<string>, indent: string) =>
  values.map((value) => `${indent}<string>${xml(value)}</string>`)

export const launchdList = ({ command, environment, log }: ServicePlan): string =>
  [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    "<dict>",
    "  <key>Label</key>",
    `  <string>${label}</string>`,
    "  <key>ProgramArguments</key>",
    "  <array>",
    ...strings([...command, "worker", "--keep"], "    "),
    "  </array>",
    "  <key>EnvironmentVariables</key>",
    "  <dict>",
    ...Object.entries(environment).flatMap(([name, value]) => [
      `    <key>${xml(name)}</key>`,
      `    <string>${xml(value)}</string>`
    ]),
    "  </dict>",
    "  <key>RunAtLoad</key>",
    "  <true/>",
    "  <key>KeepAlive</key>",
    "  <true/>",
    "  <key>AbandonProcessGroup</key>",
    "  <true/>",
    "  <key>ThrottleInterval</key>",
    "  <integer>5</integer>",
    "  <key>StandardOutPath</key>",
    `  <string>${xml(log)}</string>`,
    "  <key>StandardErrorPath</key>",
    `  <string>${xml(log)}</string>`,
    "</dict>",
    "</plist>",
    ""
  ].join("\n")
