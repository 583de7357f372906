// GET /listeners: where clients come in, and how many have.
import type { ListenerSpec } from '../../core/spec.ts'
import type { Membership } from '../membership.ts'
import type { ControlPort } from '../port.ts'

/** Where the numbers come from. */
export interface ListSources {
  readonly port: Pick<ControlPort, 'state' | 'boundPort'>
  readonly membership: Pick<Membership, 'snapshot'>
}

export interface ListenerView {
  readonly name: string
  readonly protocol: ListenerSpec['protocol']
  /** `https://[::]:443`, `tcp://10.0.0.1:5432`, `unix:/run/web.sock`, `systemd:web`. */
  readonly address: string
  readonly tls: boolean
  /** Null = routes or server names decide, and there is none for the rest. */
  readonly pool: string | null
  readonly connections: { readonly active: number; readonly total: number; readonly rejected: number }
  /** 0 where it speaks no HTTP. */
  readonly requests: { readonly total: number; readonly active: number }
}

export function listenerList({ port, membership }: ListSources): ListenerView[] {
  return membership.snapshot.listeners.map((spec) => {
    const totals = port.state.listenerTotals(spec.row)
    const rejected = Object.values(totals.rejected).reduce((sum, count) => sum + count, 0)
    return {
      name: spec.name,
      protocol: spec.protocol,
      address: addressOf({ ...spec, port: port.boundPort?.(spec.name) ?? spec.port }),
      tls: spec.tls !== null,
      pool: spec.pool === '' ? null : spec.pool,
      connections: { active: totals.active, total: totals.connections, rejected },
      requests: { total: totals.duration.count, active: totals.requestsActive },
    }
  })
}

/** All interfaces are written as `*`. */
function addressOf(spec: ListenerSpec): string {
  const { host, port, socketPath, inherited } = spec
  if (socketPath !== null) return `unix:${socketPath}`
  if (inherited !== null) return `systemd:${inherited}`
  const name = host === '' ? '*' : host.includes(':') ? `[${host}]` : host
  return `${schemeOf(spec)}://${name}:${port}`
}

/** What clients speak to it. */
function schemeOf({ protocol, tls }: ListenerSpec): string {
  if (protocol === 'http') return tls === null ? 'http' : 'https'
  return protocol === 'tcp' && tls === null ? 'tcp' : 'tls'
}
