// What an error answer says, whatever its form.

export interface ErrorLines {
  readonly title: string
  readonly words: string
  readonly advice: string
  readonly requestId: string
  /** Name and value; null = not for this client. */
  readonly inside: readonly (readonly [name: string, value: string])[] | null
}

/** Why somebody sees what others do not. */
export const insideHeading = 'Shown to clients on this machine and in trusted_proxies only:'

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** For text and for quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]!)
}
