/** Services that are made when one of them is first used: a command uses few of those that it could. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"

interface Part<I, R> {
  readonly key: string
  readonly layer: Layer.Layer<I, never, R>
}

type Made<P> = P extends Part<infer I, unknown> ? I : never
type Needs<P> = P extends Part<never, infer R> ? R : never

/** A service with the layer that makes it, which must not wait for anything. */
export const part = <I, S extends object, R>(tag: Context.Tag<I, S>, layer: Layer.Layer<I, never, R>): Part<I, R> => ({
  key: tag.key,
  layer
})

/** In the place of a service until it is used, and then the same to its users. */
const standIn = (make: () => object): object => {
  let made: object | undefined
  const service = () => {
    made ??= make()
    return made
  }
  return new Proxy(
    {},
    {
      get: (_, name) => Reflect.get(service(), name),
      has: (_, name) => Reflect.has(service(), name),
      ownKeys: () => Reflect.ownKeys(service()),
      getOwnPropertyDescriptor: (_, name) => {
        const found = Reflect.getOwnPropertyDescriptor(service(), name)
        return found === undefined ? undefined : { ...found, configurable: true }
      }
    }
  )
}

/** The services of all parts. They may need one another, in any order, as long as none needs itself. */
export const onDemand = <P extends ReadonlyArray<Part<never, unknown>>>(
  ...parts: P
): Layer.Layer<Made<P[number]>, never, Exclude<Needs<P[number]>, Made<P[number]>>> =>
  Layer.scopedContext(
    Effect.map(Effect.context<Exclude<Needs<P[number]>, Made<P[number]>> | Scope.Scope>(), (outside) => {
      const scope = Context.unsafeGet(outside, Scope.Scope)
      const own = new Map<string, object>()
      const all = new Map<string, unknown>(outside.unsafeMap)
      const build = ({ key, layer }: Part<never, unknown>): object =>
        Effect.runSync(
          Effect.mapInputContext(Layer.buildWithScope(layer, scope), () => Context.unsafeMake<unknown>(all))
        ).unsafeMap.get(key)
      for (const one of parts)
        own.set(
          one.key,
          standIn(() => build(one))
        )
      for (const [key, service] of own) all.set(key, service)
      return Context.unsafeMake<Made<P[number]>>(own)
    })
  )
