// Entity tags (RFC 9110 §8.8.3) and how they are compared.

const ENTITY_TAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/
const LISTED_TAG = /[\t ,]*((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")[\t ]*(?:,|$)/y

export function isEntityTag(text: string): boolean {
  return ENTITY_TAG.test(text)
}

export function isStrong(tag: string): boolean {
  return tag.charCodeAt(0) === 34
}

/** The opaque part, with its quotes. */
export function opaque(tag: string): string {
  return isStrong(tag) ? tag : tag.slice(2)
}

/** §8.8.3.2: neither is weak, and they are the same. '' = none, which equals nothing. */
export function equalStrongly(a: string, b: string): boolean {
  return a !== '' && a === b && isStrong(a)
}

/** §8.8.3.2: the same but for weakness. */
export function equalWeakly(a: string, b: string): boolean {
  return a !== '' && b !== '' && opaque(a) === opaque(b)
}

/** Whether a list of tags, as If-None-Match has it, has one that equals `tag` weakly. What is no tag ends the list. */
export function listHas(list: string, tag: string): boolean {
  if (tag === '') return false
  const wanted = opaque(tag)
  LISTED_TAG.lastIndex = 0
  for (let match = LISTED_TAG.exec(list); match !== null; match = LISTED_TAG.exec(list)) {
    if (opaque(match[1]!) === wanted) return true
    if (LISTED_TAG.lastIndex >= list.length) return false
  }
  return false
}
