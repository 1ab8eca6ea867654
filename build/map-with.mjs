/**
 * A map with one more entry than another one, which it does not copy. Effect copies the map of all services for each span and each service
 * that it provides: with eighty services that was a third of the garbage of a worker. See shared-context.mjs.
 */

/** Above so many entries on top of each other a look-up costs more than a copy for all that follow. */
const deepest = 6

class MapWith {
  constructor(base, key, value) {
    this.base = base
    this.key = key
    this.value = value
    this.depth = base instanceof MapWith ? base.depth + 1 : 1
    this.copy = undefined
  }

  get(key) {
    return key === this.key ? this.value : this.base.get(key)
  }

  has(key) {
    return key === this.key || this.base.has(key)
  }

  /** All entries in one map: for what few programs ask. */
  whole() {
    if (this.copy === undefined) {
      this.copy = new Map(this.base)
      this.copy.set(this.key, this.value)
    }
    return this.copy
  }

  get size() {
    return this.base.size + (this.base.has(this.key) ? 0 : 1)
  }

  /** The last entry first: two contexts mostly differ in what was provided last, and Effect compares until they differ. */
  *keys() {
    yield this.key
    for (const key of this.base.keys()) if (key !== this.key) yield key
  }

  values() {
    return this.whole().values()
  }

  entries() {
    return this.whole().entries()
  }

  forEach(each) {
    this.whole().forEach(each)
  }

  [Symbol.iterator]() {
    return this.whole().entries()
  }
}

/** Neither map may be changed afterwards. */
export const mapWith = (base, key, value) => {
  // What is replaced is not kept: spans lie within spans.
  const below = base instanceof MapWith && base.key === key ? base.base : base
  const made = new MapWith(below, key, value)
  return made.depth > deepest ? made.whole() : made
}

/** The entries of both, those of `more` where both have one. */
export const mapWithAll = (base, more) => {
  let made = base
  if (more.size < 3) {
    more.forEach((value, key) => {
      made = mapWith(made, key, value)
    })
    return made
  }
  made = new Map(base)
  more.forEach((value, key) => {
    made.set(key, value)
  })
  return made
}
