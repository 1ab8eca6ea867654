/** The choices of a torture run: everything that is random comes from here, and so from the seed. */
import { PCGRandom } from "effect/Utils"

export class Dice {
  readonly #random: PCGRandom

  constructor(seed: number) {
    this.#random = new PCGRandom(seed)
  }

  /** From 0 to 1, 1 excluded, short enough to read. */
  fraction(): number {
    return Math.floor(this.#random.number() * 1e6) / 1e6
  }

  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1))
  }

  /** One of several, each as likely as its weight. */
  weighted<A>(choices: ReadonlyArray<readonly [weight: number, choice: A]>): A {
    const total = choices.reduce((sum, [weight]) => sum + weight, 0)
    let rest = this.fraction() * total
    for (const [weight, choice] of choices) {
      rest -= weight
      if (rest < 0) return choice
    }
    return this.pick(choices)[1]
  }

  pick<A>(choices: ReadonlyArray<A>): A {
    const chosen = choices[this.between(0, choices.length - 1)]
    if (chosen === undefined) throw new Error("nothing to choose from")
    return chosen
  }
}

/**
 * The items of a list from the one at a fraction of it on, and then those before: a choice that was made before it was
 * known what there would be to choose from, and what comes next where that one will not do.
 */
export const from = <A>(items: ReadonlyArray<A>, fraction: number): ReadonlyArray<A> => {
  const start = Math.floor(fraction * items.length)
  return [...items.slice(start), ...items.slice(0, start)]
}
