// No two listeners on one address.
import { type Binding, formatListenAddress, isPort, overlaps } from '../listen-address.ts'
import { commandLine } from '../overrides.ts'
import { show } from '../problem.ts'
import type { Origin, Path } from '../source-tree.ts'
import type { Check } from './check.ts'

interface Place extends Binding {
  readonly path: Path
  readonly what: string
}

export function checkAddresses({ config, options, report, origin }: Check): void {
  const taken: Place[] = []
  for (const place of placesOf(config)) {
    if (isPort(place) && place.port === 0 && !options.allowAnyPort && origin(place.path).source !== commandLine) {
      report(place.path, `${show(formatListenAddress(place))} has no valid port`, 'use 1 to 65535', { value: 0 })
    }
    const other = taken.find((earlier) => overlaps(earlier, place))
    if (other === undefined) {
      taken.push(place)
      continue
    }
    // A default gives way in the message to what was written.
    const written = isRoot(origin(place.path)) && !isRoot(origin(other.path))
    const [blamed, rival] = written ? [other, place] : [place, other]
    const isFlat = isPort(blamed) && origin(blamed.path).path.at(-1) !== 'listen'
    const shown = isFlat ? String(blamed.port) : show(formatListenAddress(blamed))
    const already = written ? 'is' : 'is already'
    const hint = written ? 'choose another, or set admin_port' : 'choose another'
    const value = isPort(blamed) ? blamed.port : formatListenAddress(blamed)
    report(blamed.path, `${shown} ${already} ${rival.what}${written ? ' by default' : ''}`, hint, { value })
  }
}

function placesOf({ listeners, admin }: Check['config']): Place[] {
  const places = listeners.map((listener, i): Place => {
    const kind = isPort(listener) ? 'port' : 'socket'
    const what = listener.name === 'default' ? `the ${kind} of the proxy` : `the ${kind} of listener "${listener.name}"`
    return { ...listener, path: ['listeners', i, 'listen'], what }
  })
  if (admin === null) return places
  return [...places, { ...admin, path: ['admin', 'listen'], what: 'the port of the admin API' }]
}

const isRoot = (origin: Origin): boolean => origin.path.length === 0
