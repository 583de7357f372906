// Targets that would mean something else to a backend than to us.

/** A `.` or `..` segment, plain or percent-encoded, between slashes, backslashes or their encodings. */
const DOT_SEGMENT = /(?:[/\\]|%2f|%5c)(?:\.|%2e){1,2}(?:[/\\]|%2f|%5c|$)/i

/**
 * Whether the path of a target has dot segments (RFC 3986 §5.2.4). Behind a base path they would lead out of it:
 * `/base/../admin` is `/admin` to the backend.
 */
export function hasDotSegments(target: string): boolean {
  const query = target.indexOf('?')
  return DOT_SEGMENT.test(query < 0 ? target : target.slice(0, query))
}
