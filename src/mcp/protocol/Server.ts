/** Serves tools, resources and prompts over the protocol. Only this file and the transport use the SDK. */
import {
  CLIENT_INFO_META_KEY,
  ProtocolError,
  ProtocolErrorCode,
  type Result,
  Server,
  type ServerContext
} from "@modelcontextprotocol/server"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { StorageError } from "../../domain/Errors.ts"
import { nearest } from "../../domain/Spelling.ts"
import { retryWhileBusy } from "../../programs/retryWhileBusy.ts"
import { instructions, instructionsInside, prompts } from "../Instructions.ts"
import type { Call, Tool, ToolFailure } from "../Tool.ts"
import { toolError, toolResult } from "../ToolResult.ts"
import { coreTools, insideTools, tools } from "../Tools.ts"
import { failureText, undoneOf } from "./Failures.ts"
import { complete, listResources, readResource, templates } from "./Reader.ts"
import type { Era, Run } from "./Run.ts"
import { createHandle, offersHandles, serveHandles, wantsHandle } from "./TaskHandles.ts"

const hour = 3_600_000

/** Nothing in these changes while the server runs. */
const cacheHints = {
  "tools/list": { ttlMs: hour, cacheScope: "public" },
  "prompts/list": { ttlMs: hour, cacheScope: "public" },
  "resources/templates/list": { ttlMs: hour, cacheScope: "public" },
  "server/discover": { ttlMs: hour, cacheScope: "public" }
} as const

/** What a schema of the SDK found wrong with a request, as the message of an error. */
const Refusal = Schema.parseJson(
  Schema.Array(
    Schema.Struct({ path: Schema.Array(Schema.Union(Schema.String, Schema.Number)), message: Schema.String })
  )
)

const mostNamed = 5

class Backbeat extends Server {
  protected override _wrapHandler(...given: Parameters<Server["_wrapHandler"]>): ReturnType<Server["_wrapHandler"]> {
    const [method, read] = given
    /** The SDK answers a request that its schema refuses as if that were a fault of the server. */
    const handler: typeof read = async (request, context) => {
      try {
        return await read(request, context)
      } catch (error) {
        const found = Schema.decodeUnknownOption(Refusal)(error instanceof Error ? error.message : null)
        if (Option.isNone(found) || error instanceof ProtocolError) throw error
        const problems = found.value.slice(0, mostNamed).map(({ message, path }) => `${path.join(".")}: ${message}`)
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, problems.join("; ").slice(0, 1000))
      }
    }
    // The base class accepts only tool results as answers of `tools/call`; these answers may be task handles.
    return method === "tools/call" ? handler : super._wrapHandler(method, handler)
  }
}

const CallParams = Schema.standardSchemaV1(
  Schema.Struct({
    name: Schema.String,
    arguments: Schema.optional(Schema.Unknown),
    task: Schema.optional(Schema.Unknown)
  })
)

const ClientInfo = Schema.Struct({ name: Schema.String })

const clientOf = (server: Server, context: ServerContext): string | null => {
  const info: unknown = Reflect.get(context.mcpReq.envelope ?? {}, CLIENT_INFO_META_KEY) ?? server.getClientVersion()
  return Schema.is(ClientInfo)(info) ? info.name : null
}

const listenerOf = (context: ServerContext): Pick<Call, "listening" | "progress"> => {
  const progressToken = context.mcpReq._meta?.progressToken
  if (progressToken === undefined) return { listening: false, progress: () => Effect.void }
  let told = 0
  const progress: Call["progress"] = (message) =>
    Effect.promise(async () => {
      told += 1
      const params = { progressToken, progress: told, message }
      await context.mcpReq.notify({ method: "notifications/progress", params }).catch(() => undefined)
    })
  return { listening: true, progress }
}

/** Clients of earlier versions reject a whole result because of one `resource_link`. */
const linksSince = "2025-06-18"

const knowsLinks = (server: Server, era: Era): boolean =>
  era === "modern" || (server.getNegotiatedProtocolVersion() ?? "") >= linksSince

const callTool =
  (server: Server, era: Era, run: Run) => async (given: typeof CallParams.Type, context: ServerContext) => {
    const tool = tools.find(({ name }) => name === given.name)
    if (tool === undefined) {
      const close = nearest(
        given.name,
        tools.map(({ name }) => name)
      )
      const hint = close === null ? `Known: ${tools.map(({ name }) => name).join(", ")}` : `Did you mean '${close}'?`
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool '${given.name.slice(0, 60)}'. ${hint}`)
    }
    const handleOnly = wantsHandle(era, tool, given.task, context)
    const plainToo = era === "modern"
    const call: Call = { client: clientOf(server, context), handleOnly, plainToo, ...listenerOf(context) }
    const answer = Effect.gen(function* () {
      const { links: found, task, value } = yield* tool.call(given.arguments, call)
      const links = knowsLinks(server, era) ? found : []
      if (!handleOnly) return toolResult(value, links)
      // An error would say that nothing was stored, so an older client gets its handle also for a task that has ended meanwhile.
      if (task !== null && (task.open || era === "legacy")) {
        const handle = retryWhileBusy(createHandle(era, task.id))
        const stored = `StorageError: Task ${task.id} is stored, but could not be read.\nNext: Call tasks/get with this id.`
        return yield* Effect.catchTag(handle, "StorageError", () =>
          Effect.succeed(era === "modern" ? toolResult(value, links) : toolError(stored))
        )
      }
      // Current clients accept a plain answer; older ones asked for a handle.
      return era === "modern"
        ? toolResult(value, links)
        : toolError("Call this tool without 'task': only a call about exactly one task can run as a task.")
    }).pipe(
      Effect.catchAll((failure) => Effect.succeed(toolError(failureText(failure, undoneOf(tool))))),
      Effect.map((result): Result => result)
    )
    return run(tool.name, answer, context.mcpReq.signal).catch((error: unknown) => {
      // The store could not be opened.
      if (error instanceof StorageError) return toolError(failureText(error, undoneOf(tool)))
      throw error
    })
  }

/** The results of resources have no form for failures, so failures become protocol errors. */
const invalidParams = (failure: ToolFailure) => new ProtocolError(ProtocolErrorCode.InvalidParams, failureText(failure))

const toolList = (shown: ReadonlyArray<Tool>) => ({
  tools: shown.map((tool) => ({
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: { ...tool.inputSchema, type: "object" as const },
    outputSchema: { ...tool.outputSchema, type: "object" as const },
    annotations: { title: tool.title, ...tool.annotations },
    ...(tool.mayBeTask ? { execution: { taskSupport: "optional" as const } } : {})
  }))
})

/** Which tools are listed. All are answered. `inside`: for the agent of a task. */
export type Toolset = "core" | "inside" | "all"

const listed: Readonly<Record<Toolset, ReadonlyArray<Tool>>> = { core: coreTools, inside: insideTools, all: tools }

export const makeServer = (era: Era, version: string, run: Run, toolset: Toolset): Server => {
  const server: Server = new Backbeat(
    { name: "backbeat", title: "Backbeat", version },
    {
      instructions: toolset === "inside" ? instructionsInside : instructions,
      cacheHints,
      capabilities: { tools: {}, resources: {}, prompts: {}, completions: {}, ...offersHandles(era) }
    }
  )
  const shown = listed[toolset]
  const refuseCursor = (cursor: string | undefined) => {
    // No list has a second page.
    if (cursor !== undefined) throw new ProtocolError(ProtocolErrorCode.InvalidParams, "There is no such cursor")
  }
  server.setRequestHandler("tools/list", ({ params }) => {
    refuseCursor(params?.cursor)
    return toolList(shown)
  })
  server.setRequestHandler("tools/call", { params: CallParams }, callTool(server, era, run))

  server.setRequestHandler("resources/list", async ({ params }, { mcpReq }) => {
    refuseCursor(params?.cursor)
    const list = listResources.pipe(Effect.mapError(invalidParams))
    return { resources: [...(await run("resources/list", list, mcpReq.signal))] }
  })
  server.setRequestHandler("resources/templates/list", ({ params }) => {
    refuseCursor(params?.cursor)
    return { resourceTemplates: [...templates] }
  })
  server.setRequestHandler("resources/read", async ({ params }, { mcpReq }) => {
    const read = readResource(params.uri).pipe(Effect.mapError(invalidParams))
    return { contents: [{ ...(await run("resources/read", read, mcpReq.signal)) }] }
  })
  server.setRequestHandler("completion/complete", async ({ params }, { mcpReq }) => {
    const { name, value } = params.argument
    const found = complete(name, value).pipe(Effect.mapError(invalidParams))
    return { completion: { values: [...(await run("completion/complete", found, mcpReq.signal))], hasMore: false } }
  })

  server.setRequestHandler("prompts/list", ({ params }) => {
    refuseCursor(params?.cursor)
    return { prompts: prompts.map(({ text: _, ...prompt }) => ({ ...prompt, arguments: [...prompt.arguments] })) }
  })
  server.setRequestHandler("prompts/get", ({ params }) => {
    const prompt = prompts.find(({ name }) => name === params.name)
    const names = prompts.map(({ name }) => name).join(", ")
    if (prompt === undefined) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no prompt '${params.name}'. Known: ${names}`)
    }
    const missing = prompt.arguments.find(({ name, required }) => required && !params.arguments?.[name]?.trim())
    if (missing !== undefined) {
      const problem = `The prompt '${prompt.name}' needs the argument '${missing.name}': ${missing.description}`
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, problem)
    }
    const text = prompt.text(params.arguments ?? {})
    return { description: prompt.description, messages: [{ role: "user", content: { type: "text", text } }] }
  })
  serveHandles(server, era, run)
  return server
}
