/** The state of one `beat web`: who submits through it, what it may do, and what its listeners share. */
import * as Context from "effect/Context"
import type { Environment } from "../../domain/task/NewTask.ts"
import type { NoticeHub } from "../../programs/events/noticeHub.ts"
import type { Clients } from "./clients.ts"

export class WebSession extends Context.Tag("backbeat/WebSession")<
  WebSession,
  {
    readonly version: string
    readonly readOnly: boolean
    /** Whether it accepts shell commands: a stolen token is otherwise no shell. */
    readonly allowRun: boolean
    /** Directory and environment in which `beat web` was started: tasks that are submitted here get them. */
    readonly directory: string
    readonly environment: Environment
    readonly hub: NoticeHub
    readonly clients: Clients
  }
>() {}
