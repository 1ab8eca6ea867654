/** A service manager that remembers what it was asked. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { type Ran, ServiceSystem } from "../../../services/ServiceSystem.ts"

/** What the fake was asked and holds. */
export class ServiceControl extends Context.Tag("backbeat/memory/ServiceControl")<
  ServiceControl,
  {
    /** Programs with their arguments, in order. */
    readonly ran: Effect.Effect<ReadonlyArray<string>>
    readonly files: Effect.Effect<Readonly<Record<string, string>>>
  }
>() {}

export const layerFake = (options: {
  readonly kind: "systemd" | "launchd" | null
  /** What each program prints (default: it succeeds and prints nothing). */
  readonly answers?: Readonly<Record<string, Ran>>
}) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const ran = yield* Ref.make<ReadonlyArray<string>>([])
      const files = yield* Ref.make<Readonly<Record<string, string>>>({})
      const service = ServiceSystem.of({
        kind: options.kind,
        file:
          options.kind === "launchd"
            ? "/home/me/Library/LaunchAgents/x.plist"
            : "/home/me/.config/systemd/user/x.service",
        user: "me",
        uid: 501,
        command: ["/usr/bin/node", "/opt/back beat/beat.cjs"],
        environment: { BACKBEAT_HOME: "/home/me/50% & <more>", PATH: "/usr/bin" },
        read: (path) => Effect.map(Ref.get(files), (all) => all[path] ?? null),
        write: (path, text) => Ref.update(files, (all) => ({ ...all, [path]: text })),
        remove: (path) => Ref.update(files, ({ [path]: _gone, ...rest }) => rest),
        run: (program, args) => {
          const line = [program, ...args].join(" ")
          return Effect.as(
            Ref.update(ran, (all) => [...all, line]),
            options.answers?.[line] ?? { code: 0, output: "" }
          )
        }
      })
      return Context.make(ServiceSystem, service).pipe(
        Context.add(ServiceControl, ServiceControl.of({ ran: Ref.get(ran), files: Ref.get(files) }))
      )
    })
  )

/** A machine without a service manager. */
export const layer = layerFake({ kind: null })
