// Hosts as routes name them: `example.com`, or `*.example.com` for one or more further labels.

/** Whether a host in normal form is meant by any of these. */
export function matchesHost(patterns: readonly string[], host: string): boolean {
  return patterns.some((pattern) =>
    pattern.startsWith('*.') ? host.length > pattern.length - 1 && host.endsWith(pattern.slice(1)) : pattern === host,
  )
}
