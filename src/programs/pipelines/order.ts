/** Which step of a pipeline follows which: by its place, or by the names it gives. */
import type { PipelineProblem } from "../../domain/pipeline/Pipeline.ts"
import type { FileStep } from "../../domain/pipeline/PipelineFile.ts"
import { nameOf } from "../../domain/SchemaProblems.ts"
import type { Parsed, Path } from "../files/Document.ts"
import { problem, suggestion } from "../files/Problems.ts"

/** A step with the place it was written at. */
export interface Placed {
  readonly path: Path
  readonly stage: number
  readonly step: FileStep
}

interface Ordered {
  readonly names: ReadonlyArray<string>
  readonly after: ReadonlyArray<ReadonlyArray<number>>
  readonly continueFrom: ReadonlyArray<number | null>
  readonly problems: ReadonlyArray<PipelineProblem>
}

/** The first circle found, as places of steps; each waits for the next. */
const circleIn = (after: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<number> | null => {
  const done = new Set<number>()
  const visit = (at: number, trail: ReadonlyArray<number>): ReadonlyArray<number> | null => {
    if (done.has(at)) return null
    const known = trail.indexOf(at)
    if (known >= 0) return trail.slice(known)
    for (const next of after[at] ?? []) {
      const found = visit(next, [...trail, at])
      if (found !== null) return found
    }
    done.add(at)
    return null
  }
  for (let at = 0; at < after.length; at += 1) {
    const found = visit(at, [])
    if (found !== null) return found
  }
  return null
}

export const order = (placed: ReadonlyArray<Placed>, parsed: Parsed): Ordered => {
  const problems: Array<PipelineProblem> = []
  const names = placed.map(({ step }, index) => step.name ?? `step-${index + 1}`)
  const places = new Map<string, number>()
  names.forEach((name, index) => {
    const path = placed[index]?.path ?? []
    const first = places.get(name)
    if (first === undefined) places.set(name, index)
    else {
      const before = parsed.valueAt(placed[first]?.path ?? [])
      problems.push(
        problem(
          parsed.valueAt([...path, "name"]),
          `${nameOf(path)}: a step is called '${name}' already`,
          `The other one is in line ${before.line}.`
        )
      )
    }
  })

  const placeOf = (name: string, own: number, path: Path): ReadonlyArray<number> => {
    const found = places.get(name)
    if (found === undefined) {
      const others = names.filter((_, index) => index !== own)
      problems.push(
        problem(parsed.valueAt(path), `${nameOf(path)}: there is no step '${name}'`, suggestion(name, others))
      )
    }
    return found === undefined ? [] : [found]
  }

  /** The steps of the entry before. */
  const stageBefore = (stage: number) => placed.flatMap((other, index) => (other.stage === stage - 1 ? [index] : []))

  const continueFrom = placed.map(({ path, stage, step }, own) => {
    if (step.continueFrom === undefined) return null
    const at = [...path, "continueFrom"]
    if (step.continueFrom !== true) return placeOf(step.continueFrom, own, at)[0] ?? null
    const before = stageBefore(stage)
    const [only] = before
    if (only !== undefined && before.length === 1) return only
    problems.push(
      before.length === 0
        ? problem(parsed.valueAt(at), `${nameOf(at)}: there is no step before this one`)
        : problem(
            parsed.valueAt(at),
            `${nameOf(at)}: ${before.length} steps come before this one`,
            `Name one of them: ${before.map((index) => names[index]).join(", ")}`
          )
    )
    return null
  })

  const after = placed.map(({ path, stage, step }, own) => {
    const at = [...path, "after"]
    const written =
      step.after === undefined
        ? stageBefore(stage)
        : typeof step.after === "string"
          ? placeOf(step.after, own, at)
          : step.after.flatMap((name, index) => placeOf(name, own, [...at, index]))
    const source = continueFrom[own]
    return [...new Set([...written, ...(source === null || source === undefined ? [] : [source])])]
  })

  const circle = circleIn(after)
  const [first] = circle ?? []
  if (circle !== null && first !== undefined) {
    const path = placed[first]?.path ?? []
    const trail = [...circle, first].map((index) => names[index]).join(" after ")
    problems.push(
      problem(
        parsed.valueAt([...path, "after"]),
        circle.length === 1 ? `${nameOf(path)}: it would wait for itself` : `${nameOf(path)}: a circle: ${trail}`,
        "Remove one of these names from 'after'."
      )
    )
  }
  return { names, after, continueFrom, problems }
}
