/** The requests about what happens: the stream of notices, and what this server is. */
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import * as Schema from "effect/Schema"
import { AgentInfo } from "../../domain/task/Agent.ts"
import { EventStream, within } from "./TasksApi.ts"

export const ServerInfo = Schema.Struct({
  version: Schema.String,
  /** Whether it refuses every request that changes something. */
  readOnly: Schema.Boolean,
  /** Whether it accepts shell commands. */
  allowRun: Schema.Boolean,
  /** Where tasks work that name no directory. */
  directory: Schema.String,
  agents: Schema.Array(AgentInfo)
}).annotations({ identifier: "ServerInfo" })
export type ServerInfo = typeof ServerInfo.Type

export const EventsApi = HttpApiGroup.make("events")
  .add(
    HttpApiEndpoint.get("events", "/events")
      .setUrlParams(
        Schema.Struct({
          after: Schema.optional(within(0, Number.MAX_SAFE_INTEGER, "Notices above this number; default: from now on"))
        })
      )
      .addSuccess(EventStream)
      .annotate(OpenApi.Summary, "What happens, as server-sent events")
      .annotate(
        OpenApi.Description,
        "Each event is a Notice in JSON, its name is the kind and its id the number; the header Last-Event-ID continues behind one and wins over `after`. The first event is `hello`. `reset` says that notices were missed: read everything again."
      )
  )
  .add(
    HttpApiEndpoint.get("server", "/server")
      .addSuccess(ServerInfo)
      .annotate(OpenApi.Summary, "What this server is and may do")
  )
