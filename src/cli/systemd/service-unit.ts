// The service unit: what it starts, what it may touch, and nothing else.
import { dirname, join, sep } from 'node:path'
import type { Config } from '../../config/config.ts'
import { execWord, type Line, pathWord, type UnitFile, unitFile } from './unit-text.ts'

export interface ServiceOptions {
  readonly config: Config
  /** Absolute paths of Node, the program and the configuration file. */
  readonly node: string
  readonly script: string
  readonly configPath: string
  /** Name of the units, without an ending. */
  readonly name: string
  /** Who runs it; null = a unit of a user's own manager. */
  readonly runAs: string | null
  /** Names of the socket units that belong to it. */
  readonly sockets: readonly string[]
  /** Variables that the configuration file names. */
  readonly variables: readonly string[]
}

/** What systemd gives the service beside `shutdown.grace` before it kills. */
const STOP_MARGIN_SECONDS = 10
/** Descriptors for the program itself, beside two for each connection. */
const OWN_DESCRIPTORS = 4096
const USUAL_DESCRIPTORS = 65_536
const stateRoot = '/var/lib'
const runtimeRoot = '/run'

export function serviceUnit(o: ServiceOptions): UnitFile {
  const isSystem = o.runAs !== null
  const [writable, directories] = placesToWrite(o)
  const { graceMs } = o.config.shutdown
  return unitFile(`${o.name}.service`, headOf(o), [
    {
      name: 'Unit',
      lines: [
        ['Description', 'Frontdesk, a reverse proxy and load balancer'],
        ...(isSystem
          ? ([
              ['Wants', 'network-online.target'],
              ['After', 'network-online.target'],
            ] as const)
          : []),
        ...(o.sockets.length > 0
          ? ([
              ['Requires', o.sockets.join(' ')],
              ['After', o.sockets.join(' ')],
            ] as const)
          : []),
      ],
    },
    {
      name: 'Service',
      lines: [
        '# Ready when its listeners are open. systemd-notify, a process of its own, sends the message.',
        ['Type', 'notify'],
        ['NotifyAccess', 'all'],
        ['ExecStart', [o.node, o.script, 'run', '-c', o.configPath].map(execWord).join(' ')],
        ['ExecReload', '/bin/kill -HUP $MAINPID'],
        ...(o.sockets.length > 0 ? ([['Sockets', o.sockets.join(' ')]] as const) : []),
        ...environment(o, isSystem),
        '',
        ['Restart', 'on-failure'],
        ['RestartSec', '1s'],
        '# A wrong command line or configuration is wrong the next time, too.',
        ['RestartPreventExitStatus', '2 78'],
        '# Longer than shutdown.grace: until then requests may finish.',
        ['TimeoutStopSec', Math.ceil(graceMs / 1000) + STOP_MARGIN_SECONDS],
        ['KillMode', 'mixed'],
        ['LimitNOFILE', descriptors(o.config)],
        '# WatchdogSec=60 would restart it when its main thread hangs, and cut the traffic that its workers still serve.',
        '',
        ...(isSystem ? systemHardening(o, directories) : userHardening),
        ...(writable.length > 0 && isSystem ? ([['ReadWritePaths', writable.map(pathWord).join(' ')]] as const) : []),
      ],
    },
    { name: 'Install', lines: [['WantedBy', isSystem ? 'multi-user.target' : 'default.target']] },
  ])
}

function headOf({ name, runAs, sockets }: ServiceOptions): string[] {
  const units = [`${name}.service`, ...sockets].join(' ')
  if (runAs === null) {
    return [
      `~/.config/systemd/user/${name}.service, then:`,
      `  systemctl --user daemon-reload && systemctl --user enable --now ${units}`,
    ]
  }
  return [
    `/etc/systemd/system/${name}.service, then:`,
    ...(runAs === 'root' ? [] : [`  useradd --system --no-create-home --shell /usr/sbin/nologin ${runAs}`]),
    `  systemctl daemon-reload && systemctl enable --now ${units}`,
  ]
}

function environment({ variables, name }: ServiceOptions, isSystem: boolean): Line[] {
  if (variables.length === 0) return []
  const file = isSystem ? `-/etc/${name}/environment` : `-%h/.config/${name}/environment`
  return [
    `# Lines like NAME=value, for what the configuration takes from the environment: ${variables.join(', ')}`,
    ['EnvironmentFile', file],
  ]
}

/** Two for each connection that may be open, one to the client and one to its backend. */
function descriptors({ limits }: Config): number {
  return Math.max(USUAL_DESCRIPTORS, limits.maxConnections * 2 + OWN_DESCRIPTORS)
}

/** Ports that only root, or who has the right to, may bind. */
export function bindsLowPort({ config }: Pick<ServiceOptions, 'config'>): boolean {
  const ports = config.listeners.filter(({ inherited, socketPath }) => inherited === null && socketPath === null)
  return [...ports.map(({ port }) => port), config.admin?.port ?? 0].some((port) => port > 0 && port < 1024)
}

function systemHardening(o: ServiceOptions, directories: readonly Line[]): Line[] {
  const capability = bindsLowPort(o) ? 'CAP_NET_BIND_SERVICE' : ''
  const read = [o.node, o.script, o.configPath, ...filesRead(o.config)]
  const homes = read.some(isInHome)
  const temporary = [...read, ...filesWritten(o.config)].some((path) => /^\/(?:var\/)?tmp\//.test(path))
  return [
    ['User', o.runAs!],
    ...(capability === '' ? [] : ([['AmbientCapabilities', capability]] as const)),
    ['CapabilityBoundingSet', capability],
    ['NoNewPrivileges', 'yes'],
    ['ProtectSystem', 'strict'],
    ...(homes ? ['# Something that it reads lies in a home directory.' as const] : []),
    ['ProtectHome', homes ? 'read-only' : 'yes'],
    ...common,
    ...(temporary ? ['# Something that it reads or writes lies there.' as const] : []),
    ['PrivateTmp', temporary ? 'no' : 'yes'],
    ['PrivateDevices', 'yes'],
    ['ProtectClock', 'yes'],
    ['ProtectKernelLogs', 'yes'],
    ['ProtectKernelModules', 'yes'],
    ['ProtectKernelTunables', 'yes'],
    ['ProtectControlGroups', 'yes'],
    ['ProtectHostname', 'yes'],
    ['ProtectProc', 'invisible'],
    ['RemoveIPC', 'yes'],
    ['UMask', '0027'],
    ...directories,
  ]
}

/** What a user's manager can enforce without rights of its own. */
const common: readonly Line[] = [
  ['RestrictAddressFamilies', 'AF_INET AF_INET6 AF_UNIX AF_NETLINK'],
  ['RestrictNamespaces', 'yes'],
  ['RestrictRealtime', 'yes'],
  ['RestrictSUIDSGID', 'yes'],
  ['LockPersonality', 'yes'],
  ['SystemCallArchitectures', 'native'],
  ['SystemCallFilter', '@system-service'],
  ['SystemCallFilter', '~@privileged'],
  ['SystemCallErrorNumber', 'EPERM'],
  "# MemoryDenyWriteExecute= must stay off: Node's compiler writes the code that it runs.",
]
const userHardening: readonly Line[] = [['NoNewPrivileges', 'yes'], ...common]

const isInHome = (path: string): boolean => /^\/(?:home|root|run\/user)\//.test(path)

/** Files of certificates and tokens. */
function filesRead({ listeners, admin }: Config): string[] {
  const ofListeners = listeners.flatMap(({ tls }) => [
    ...(tls?.certificates ?? []).flatMap(({ cert, key }) => [cert, key]),
    ...(tls?.clientAuth == null ? [] : [tls.clientAuth.ca]),
  ])
  const ofAdmin = [admin?.tokenFile, admin?.readTokenFile, admin?.tls?.identity.cert, admin?.tls?.identity.key]
  return [...ofListeners, ...ofAdmin.filter((path) => path != null)]
}

/** State, logs, Unix sockets. */
function filesWritten({ stateFile, logging, listeners }: Config): string[] {
  const sockets = listeners.map(({ socketPath }) => socketPath)
  return [stateFile, logging.access?.file ?? null, ...sockets].filter((path) => path !== null)
}

/** Folders that must be writable, and those of them that systemd makes. */
function placesToWrite({ config, name }: ServiceOptions): [writable: string[], directories: Line[]] {
  const files = filesWritten(config)
  const writable = new Set<string>()
  const made = new Map<string, string>([['StateDirectory', name]])
  for (const folder of files.map((file) => dirname(file))) {
    if (isBelow(folder, stateRoot)) made.set('StateDirectory', folder.slice(stateRoot.length + 1))
    else if (isBelow(folder, runtimeRoot)) made.set('RuntimeDirectory', folder.slice(runtimeRoot.length + 1))
    else if (isBelow(folder, '/var/log')) made.set('LogsDirectory', folder.slice('/var/log/'.length))
    else writable.add(folder)
  }
  return [[...writable], [...made].map(([key, folder]): Line => [key, pathWord(folder)])]
}

const isBelow = (folder: string, root: string): boolean => folder.startsWith(join(root, sep)) && folder !== root
