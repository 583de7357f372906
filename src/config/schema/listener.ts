// A bound address, what is spoken there, and the pool behind it.
import { z } from 'zod'
import { parseListenAddress } from '../listen-address.ts'
import { listenerTls } from './listener-tls.ts'
import { duration, name, parsing, peers, port } from './scalars.ts'
import { sni } from './sni.ts'

/** Port 0 passes here: whether it may be asked for is the cross-check's question. */
const listenAddress = z
  .string()
  .transform(parsing((text: string) => parseListenAddress(text, { anyPort: true })))
  .meta({ title: 'address' })

const socketMode = z
  .string({ error: 'permissions in quotes, like "0660"' })
  .regex(/^0?[0-7]{3}$/, { error: 'is not permissions of a file; write them in octal, like "0660"' })
  .transform((text) => Number.parseInt(text, 8))
  .meta({ title: 'permissions' })

/** Where a redirect to https leads unless a port is named. */
export const httpsPort = 443

export const listener = z
  .strictObject({
    name: name.meta({ description: 'Name in logs and metrics.' }),
    listen: listenAddress.meta({
      description:
        'Address: `":80"` for all interfaces, `"127.0.0.1:80"`, `"[::]:80"`, `"unix:/run/x.sock"`, or a socket of systemd by name or number, `"systemd:web"`.',
    }),
    protocol: z.enum(['http', 'tcp', 'tls-passthrough']).prefault('http').meta({
      title: 'http | tcp | tls-passthrough',
      description:
        'What clients speak. `tcp`: any bytes, passed on. `tls-passthrough`: TLS that the backends terminate; only the name asked for is read, for `sni`.',
    }),
    pool: name.optional().meta({ description: 'The pool that serves it; without it `default`, or the only pool.' }),
    tls: listenerTls
      .nullable()
      .default(null)
      .meta({ description: 'TLS, terminated here; for `http` and `tcp`. Null = none.' }),
    sni: sni.optional().meta({
      description:
        'Pools by the name that a client asks for: `"db.example.com"`, `"*.example.com"` (one more label), `"*"` (every other, and none). Needed for `tls-passthrough`, and only there.',
    }),
    accept_proxy_protocol: z.array(peers).prefault([]).meta({
      description:
        'Whose connections begin with a PROXY header (version 1 or 2): addresses, blocks, or `unix`; all others are closed. Empty: nobody sends one.',
    }),
    idle_timeout: duration().prefault('1h').meta({
      description: 'Silence of both sides that ends a connection; `0s` = never. For `tcp` and `tls-passthrough`.',
    }),
    redirect_https: z.union([z.boolean(), port], { error: 'true, or the port of https' }).prefault(false).meta({
      title: 'boolean or port',
      description:
        'Every request is answered with a redirect (308) to https, at port 443 or the one given. For `http` without `tls`.',
    }),
    socket_mode: socketMode
      .optional()
      .meta({ description: 'Permissions of a Unix socket; without it the umask decides.' }),
    ipv6_only: z.boolean().prefault(false).meta({ description: '`"[::]:80"` without IPv4. Only for IPv6 addresses.' }),
  })
  .transform((l) => ({
    name: l.name,
    ...l.listen,
    socketMode: l.socket_mode ?? null,
    ipv6Only: l.ipv6_only,
    protocol: l.protocol,
    pool: l.pool ?? null,
    sni: l.sni ?? [],
    tls: l.tls,
    acceptProxyProtocol: l.accept_proxy_protocol,
    idleTimeoutMs: l.idle_timeout,
    redirectHttpsPort: l.redirect_https === true ? httpsPort : l.redirect_https || 0,
  }))

/** As written: the pool may be left out, files are as they are named. */
export type WrittenListener = z.output<typeof listener>
