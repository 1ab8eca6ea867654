/** The whole terminal as the live screen uses it: keys in, frames out, and everything as it was before at the end. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { Press } from "./Keys.ts"

export interface Size {
  readonly columns: number
  readonly rows: number
}

export type ScreenEvent =
  | { readonly kind: "press"; readonly press: Press }
  | ({ readonly kind: "size" } & Size)
  /** The terminal has shown all that was sent up to a question. */
  | { readonly kind: "answered" }
  /** The process was continued after a stop: nothing is known of what the terminal shows. */
  | { readonly kind: "continued" }

export class FullScreen extends Context.Tag("backbeat/FullScreen")<
  FullScreen,
  {
    /** Whether the whole terminal can be used: stdout is one, and it can do more than print. */
    readonly able: boolean
    /** Whether stdin is a terminal, so that keys can come. */
    readonly keyboard: boolean
    readonly size: Effect.Effect<Size>
    /** Takes the terminal until the scope closes. It is given back too when the process exits or a signal ends it. */
    readonly open: Effect.Effect<Queue.Dequeue<ScreenEvent>, never, Scope.Scope>
    /** Returns once the terminal has taken the text; false where it is gone. */
    readonly write: (text: string) => Effect.Effect<boolean>
    /** Gives the terminal back and stops the process, as ctrl-z does elsewhere. */
    readonly suspend: Effect.Effect<void>
    /** Lines of stdin, in line mode; it ends with the end of stdin. */
    readonly lines: Effect.Effect<Queue.Dequeue<string | null>, never, Scope.Scope>
  }
>() {}
