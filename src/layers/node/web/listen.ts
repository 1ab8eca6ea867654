/** Listens only on the loopback addresses of this machine. */
import { createServer, type RequestListener, type Server } from "node:http"
import * as FileSystem from "@effect/platform/FileSystem"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { maxBodyBytes } from "../../../domain/web/BodyLimit.ts"
import { PortTaken, WebUnavailable } from "../../../domain/web/WebErrors.ts"
import { codeOf } from "../files/SystemCode.ts"

/** A machine without IPv6 has no second address. */
const absent = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"])

const bind = (server: Server, host: string, port: number) =>
  Effect.async<number, unknown>((resume) => {
    const failed = (error: unknown) => resume(Effect.fail(error))
    server.once("error", failed)
    server.listen({ host, port, exclusive: true }, () => {
      server.off("error", failed)
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
    })
  })

/** The server never ends a stream of events, so closing it also closes the open connections. */
const close = (server: Server) =>
  Effect.async<void>((resume) => {
    if (!server.listening) return resume(Effect.void)
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })

const failure = (port: number) => (error: unknown) =>
  codeOf(error) === "EADDRINUSE"
    ? new PortTaken({ port })
    : new WebUnavailable({
        problem: `The server cannot listen on port ${port} (${codeOf(error)}). Give another one with --port.`
      })

/**
 * Takes the port on both loopback addresses; 0 takes a free one. Requests wait until `serve` is called with what answers them,
 * which needs to know the port.
 */
export const listen = Effect.fn("web.listen")(function* (port: number) {
  const early: Array<Parameters<RequestListener>> = []
  let answer: RequestListener = (...given) => {
    early.push(given)
  }
  const open = Effect.acquireRelease(
    Effect.sync(() => createServer((request, response) => answer(request, response))),
    close
  )
  const first = yield* open
  const taken = yield* bind(first, "127.0.0.1", port).pipe(Effect.mapError(failure(port)))
  const second = yield* open
  yield* bind(second, "::1", taken).pipe(
    Effect.catchIf(
      (error) => absent.has(codeOf(error)),
      () => Effect.void
    ),
    Effect.mapError(failure(taken))
  )
  const serve = (app: HttpApp.Default) =>
    Effect.map(
      NodeHttpServer.makeHandler(
        Effect.provideService(app, HttpIncomingMessage.MaxBodySize, Option.some(FileSystem.Size(maxBodyBytes)))
      ),
      (handler) => {
        answer = handler
        for (const given of early.splice(0)) handler(...given)
      }
    )
  return { port: taken, serve }
})
