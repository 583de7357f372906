// Old events come again after each connect; a replayed flip must not overwrite what the list says now.

/** Is this event older than the greeting that came before it? Then it tells history, not news. */
export function isReplay(eventAt: string, helloAt: string): boolean {
  return Date.parse(eventAt) < Date.parse(helloAt)
}
