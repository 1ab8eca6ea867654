/** Takes what looks like a key or a token out of texts that are kept and shown. */

const patterns: ReadonlyArray<readonly [RegExp, string]> = [
  [/\b(sk|pk|rk)-[A-Za-z0-9_-]{3,}(?:\*+[A-Za-z0-9_-]*)?/g, "$1-***"],
  [/\bAIza[0-9A-Za-z_-]{10,}/g, "AIza***"],
  [/\b(gh[pousr]|glpat|xox[abeprs]|hf|npm|gsk|r8|pplx|xai|csk)[_-][A-Za-z0-9_-]{8,}/g, "$1_***"],
  [/\bgithub_pat_[A-Za-z0-9_]{8,}/g, "github_pat_***"],
  [/\b(AKIA|ASIA)[A-Z0-9]{12,}/g, "$1***"],
  // A token that begins in the middle of another word begins another search, so that no character is searched twice.
  [/\beyJ(?:[A-Za-z0-9_]|-(?!eyJ)){8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)?/g, "eyJ***"],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi, "$1 ***"],
  [/(:\/\/)[^/\s:@]+:[^/\s@]+@/g, "$1***@"],
  [
    /((?:api|access|auth|secret|private|client)?[_-]?(?:key|token|secret|password|passwd)["']?\s*[=:]\s*["']?)(?!\*)[^\s"'&,;)}]{6,}/gi,
    "$1***"
  ]
]

/** `known`: keys that must not appear whatever they look like. */
export const mask = (text: string, known: ReadonlyArray<string> = []): string => {
  const literal = known.filter((key) => key.length > 0).reduce((masked, key) => masked.split(key).join("***"), text)
  return patterns.reduce((masked, [pattern, replacement]) => masked.replace(pattern, replacement), literal)
}
