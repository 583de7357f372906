// The socket units: systemd opens the addresses, so that the service needs no right to and nothing is refused while it
// restarts. All sockets of one unit have one name, so each listener gets a unit of its own.
import type { Config, ListenerConfig } from '../../config/config.ts'
import { formatListenAddress } from '../../config/listen-address.ts'
import { type Line, type UnitFile, unitFile } from './unit-text.ts'

export interface SocketUnits {
  readonly files: readonly UnitFile[]
  /** What has still to be done by hand, one line each. */
  readonly hints: readonly string[]
}

export function socketUnits({ listeners }: Config, name: string, isSystem: boolean): SocketUnits {
  const hints: string[] = []
  const files = listeners.map((listener) => {
    const own = listeners.length === 1 ? name : `${name}-${listener.name}`
    const { lines, hint } = streamLines(listener, own)
    if (hint !== null) hints.push(hint)
    const folder = isSystem ? '/etc/systemd/system' : '~/.config/systemd/user'
    return unitFile(
      `${own}.socket`,
      [`${folder}/${own}.socket`],
      [
        { name: 'Unit', lines: [['Description', `Frontdesk, listener ${listener.name}`]] },
        {
          name: 'Socket',
          lines: [
            ...lines,
            ['FileDescriptorName', descriptorName(listener)],
            ['Service', `${name}.service`],
            ['Backlog', 4096],
          ],
        },
        { name: 'Install', lines: [['WantedBy', 'sockets.target']] },
      ],
    )
  })
  return { files, hints }
}

/** What `listen: "systemd:NAME"` of that listener says, or shall say. */
const descriptorName = ({ inherited, name }: ListenerConfig): string =>
  inherited !== null && !/^\d+$/.test(inherited) ? inherited : name

function streamLines(listener: ListenerConfig, unit: string): { lines: Line[]; hint: string | null } {
  const { name, inherited, socketPath, socketMode, host, port, ipv6Only, tls } = listener
  if (inherited !== null) {
    const usual = tls === null ? 80 : 443
    const isNumber = /^\d+$/.test(inherited)
    return {
      lines: ['# The configuration does not say which address: put it here.', ['ListenStream', usual]],
      hint: isNumber
        ? `listener ${name} takes socket ${inherited} by its number: write "listen": "systemd:${name}"; its address stands in ${unit}.socket`
        : `the address of listener ${name} stands in ${unit}.socket from now on: put it there`,
    }
  }
  const hint = `write "listen": "systemd:${name}" for listener ${name}, in place of ${JSON.stringify(formatListenAddress(listener))}`
  if (socketPath !== null) {
    const mode: Line[] = socketMode === null ? [] : [['SocketMode', `0${socketMode.toString(8).padStart(3, '0')}`]]
    return { lines: [['ListenStream', socketPath], ...mode], hint }
  }
  const address = host === '' ? port : host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const only: Line[] = host.includes(':') ? [['BindIPv6Only', ipv6Only ? 'ipv6-only' : 'both']] : []
  return { lines: [['ListenStream', address], ...only], hint }
}
