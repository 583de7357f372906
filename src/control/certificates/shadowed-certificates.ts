// Certificates that no client is ever shown for a name, as one before them in the list has the name and the same kind of
// key.
import type { LoadedIdentity } from './load-identity.ts'
import type { Material } from './material.ts'

export interface Shadow {
  readonly message: string
  /** File of the certificate that is not shown. */
  readonly name: string
}

/** One for each certificate of a listener that others before it take names from. */
export function shadowWarnings(material: Material, nowMs: number): Shadow[] {
  return [...listsOf(material)].flatMap(([listener, list]) =>
    list.flatMap((later, index) => shadowsOf(listener, later, list.slice(0, index), nowMs)),
  )
}

function shadowsOf(
  listener: string,
  later: LoadedIdentity,
  earlier: readonly LoadedIdentity[],
  nowMs: number,
): Shadow[] {
  const taken = new Map<LoadedIdentity, string[]>()
  for (const name of later.facts.names) {
    const first = earlier.find(({ facts }) => facts.keyType === later.facts.keyType && facts.names.includes(name))
    if (first !== undefined) taken.set(first, [...(taken.get(first) ?? []), name])
  }
  const name = later.files.cert
  return [...taken].map(([{ files, facts }, names]) => {
    const expired = facts.notAfterMs <= nowMs && later.facts.notAfterMs > nowMs
    const shown = `${files.cert} comes before it, for the same name and with the same kind of key (${facts.keyType})`
    const hint = expired ? ', and has expired: remove that one' : '; remove one of the two'
    return { name, message: `listener ${listener}: ${name} is never shown for ${names.join(', ')}: ${shown}${hint}` }
  })
}

/** The certificates of each listener, in the order of the configuration. */
function listsOf(material: Material): Map<string, LoadedIdentity[]> {
  const lists = new Map<string, LoadedIdentity[]>()
  for (const { wanted, loaded } of material.identities()) {
    for (const { listener, index } of wanted.places) {
      if (listener === null) continue
      const list = lists.get(listener) ?? []
      list[index] = loaded
      lists.set(listener, list)
    }
  }
  return lists
}
