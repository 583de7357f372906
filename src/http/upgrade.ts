// Whether an upgrade may happen: only to what the client asked for (CVE-2024-23326).

/** `asked`: protocols that were passed on, `''` = none; `answered`: what the backend says it switches to. */
export function isAskedFor(asked: string, answered: string): boolean {
  return asked !== '' && asked.toLowerCase().split(', ').includes(answered.toLowerCase())
}
