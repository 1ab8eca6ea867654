/** A map with one more entry than another one. */
export declare const mapWith: <K, V>(base: ReadonlyMap<K, V>, key: K, value: V) => ReadonlyMap<K, V>

/** The entries of both, those of the second where both have one. */
export declare const mapWithAll: <K, V>(base: ReadonlyMap<K, V>, more: ReadonlyMap<K, V>) => ReadonlyMap<K, V>
