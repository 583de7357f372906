// Throw-away certificate authorities and what they sign, made by the openssl program when a test asks for them.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { skipWithout } from './peers.ts'

const run = promisify(execFile)
const DAY_MS = 86_400_000

/** Paths and contents in PEM. */
export interface Certificates {
  readonly caPath: string
  readonly ca: string
  readonly cert: string
  readonly key: string
  /** Removes the files. */
  remove(): Promise<void>
}

/** Whether the openssl program is there; tests that need it say so and are skipped. */
export async function haveOpenssl(): Promise<boolean> {
  return skipWithout('openssl') === false
}

/** A CA and one certificate signed by it, good for a day, for these names (`DNS:localhost`, `IP:127.0.0.1`). */
export async function makeCertificates(
  names: readonly string[] = ['DNS:localhost', 'IP:127.0.0.1'],
): Promise<Certificates> {
  const authority = await makeAuthority()
  const { cert, key } = await authority.issue({ subject: '/CN=backend', names, days: 1 })
  return { caPath: authority.path, ca: authority.pem, cert, key, remove: () => authority.remove() }
}

/** What a certificate shall be. */
export interface IssueOptions {
  /** Default `/CN=` and the first name. */
  readonly subject?: string
  /** As `DNS:example.com`, `IP:127.0.0.1`, `email:a@b.c`, `URI:spiffe://x`; empty = no SAN at all. Default localhost and 127.0.0.1. */
  readonly names?: readonly string[]
  /** Default `ec`. */
  readonly keyType?: 'ec' | 'rsa' | 'ed25519'
  /** Of an RSA key; default 2048. */
  readonly bits?: number
  /** Of an `ec` key, in OpenSSL's words; default prime256v1 (P-256). */
  readonly curve?: string
  /** From now to its end; negative = expired so long ago. Default 30. */
  readonly days?: number
  /** From now to its begin; default 30 days before now, or before its end where it has expired. */
  readonly startsInDays?: number
  /** Default `server`. */
  readonly use?: 'server' | 'client' | 'both'
  /** Encrypts the private key. */
  readonly passphrase?: string
}

/** A certificate with its key, on disk too. */
export interface Issued {
  /** The leaf, then intermediate authorities, in PEM. */
  readonly cert: string
  readonly key: string
  readonly certPath: string
  readonly keyPath: string
}

/** An authority that signs, revokes and lists what it has revoked. */
export interface Authority {
  /** Its own certificate in PEM. */
  readonly pem: string
  readonly path: string
  issue(options?: IssueOptions): Promise<Issued>
  /** Another authority, signed by this one: what it issues carries its certificate in the chain. */
  intermediate(name?: string): Promise<Authority>
  revoke(issued: Pick<Issued, 'certPath'>): Promise<void>
  /** The list of what has been revoked by now. */
  crl(o?: { readonly days?: number }): Promise<{ readonly path: string; readonly pem: string }>
  /** Removes the files of the root and of all below it. */
  remove(): Promise<void>
}

/** A new root authority in a folder of its own. */
export async function makeAuthority(name = 'Test CA'): Promise<Authority> {
  const dir = await mkdtemp(join(tmpdir(), 'frontdesk-certificates-'))
  const key = await generateKey(join(dir, 'ca.key'), {})
  await run('openssl', [
    ...['req', '-x509', '-new', '-key', key, '-days', '3650', '-subj', `/CN=${name}`, '-out', join(dir, 'ca.pem')],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ])
  return OpensslAuthority.open(dir, '', () => rm(dir, { recursive: true, force: true }))
}

async function generateKey(
  path: string,
  { keyType = 'ec', bits = 2048, curve = 'prime256v1', passphrase }: IssueOptions,
): Promise<string> {
  const kinds = {
    ec: ['-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${curve}`],
    rsa: ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${bits}`],
    ed25519: ['-algorithm', 'ED25519'],
  }
  const secret = passphrase === undefined ? [] : ['-aes-256-cbc', '-pass', `pass:${passphrase}`]
  await run('openssl', ['genpkey', ...kinds[keyType], ...secret, '-out', path])
  return path
}

const configuration = (dir: string): string => `
[ca]
default_ca = this
[this]
database = ${dir}/index
new_certs_dir = ${dir}
certificate = ${dir}/ca.pem
private_key = ${dir}/ca.key
crlnumber = ${dir}/crlnumber
rand_serial = yes
unique_subject = no
default_md = sha256
default_crl_days = 30
policy = any
[any]
commonName = optional
organizationName = optional
`

const use = { server: 'serverAuth', client: 'clientAuth', both: 'serverAuth,clientAuth' } as const

/** YYYYMMDDHHMMSSZ, so many days from now. */
const opensslTime = (days: number): string =>
  `${new Date(Date.now() + days * DAY_MS).toISOString().replace(/\D/g, '').slice(0, 14)}Z`

class OpensslAuthority implements Authority {
  readonly pem: string
  readonly path: string
  readonly #dir: string
  /** Certificates between the leaf and the root. */
  readonly #chain: string
  readonly #remove: () => Promise<void>
  #count = 0
  /** The program's database takes one writer at a time. */
  #queue: Promise<unknown> = Promise.resolve()

  static async open(dir: string, above: string, remove: () => Promise<void>): Promise<OpensslAuthority> {
    const pem = await readFile(join(dir, 'ca.pem'), 'utf8')
    await writeFile(join(dir, 'index'), '')
    await writeFile(join(dir, 'crlnumber'), '01\n')
    await writeFile(join(dir, 'openssl.cnf'), configuration(dir))
    return new OpensslAuthority(dir, pem, above, remove)
  }

  private constructor(dir: string, pem: string, chain: string, remove: () => Promise<void>) {
    this.#dir = dir
    this.path = join(dir, 'ca.pem')
    this.pem = pem
    this.#chain = chain
    this.#remove = remove
  }

  async issue(options: IssueOptions = {}): Promise<Issued> {
    const { names = ['DNS:localhost', 'IP:127.0.0.1'], days = 30 } = options
    const subject = options.subject ?? `/CN=${names[0]?.replace(/^[^:]*:/, '') ?? 'nobody'}`
    const at = (ending: string): string => join(this.#dir, `issued-${index}.${ending}`)
    const index = (this.#count += 1)
    await generateKey(at('key'), options)
    const { passphrase } = options
    const secret = passphrase === undefined ? [] : ['-passin', `pass:${passphrase}`]
    await run('openssl', ['req', '-new', '-key', at('key'), ...secret, '-subj', subject, '-out', at('csr')])
    const san = names.length === 0 ? '' : `subjectAltName=${names.join(',')}\n`
    const purpose = `extendedKeyUsage=${use[options.use ?? 'server']}\n`
    await writeFile(at('ext'), `basicConstraints=critical,CA:FALSE\n${purpose}${san}`)
    const starts = options.startsInDays ?? Math.min(days, 0) - 30
    await this.#sign(at('csr'), at('pem'), at('ext'), [starts, days])
    const cert = `${await readFile(at('pem'), 'utf8')}${this.#chain}`
    await writeFile(at('pem'), cert)
    return { cert, key: await readFile(at('key'), 'utf8'), certPath: at('pem'), keyPath: at('key') }
  }

  async intermediate(name = 'Test Intermediate CA'): Promise<Authority> {
    const dir = join(this.#dir, `below-${(this.#count += 1)}`)
    await mkdir(dir)
    const key = await generateKey(join(dir, 'ca.key'), {})
    await run('openssl', ['req', '-new', '-key', key, '-subj', `/CN=${name}`, '-out', join(dir, 'ca.csr')])
    const extensions = 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n'
    await writeFile(join(dir, 'ca.ext'), `${extensions}subjectKeyIdentifier=hash\n`)
    await this.#sign(join(dir, 'ca.csr'), join(dir, 'ca.pem'), join(dir, 'ca.ext'), [-30, 3650])
    const own = await readFile(join(dir, 'ca.pem'), 'utf8')
    return OpensslAuthority.open(dir, `${own}${this.#chain}`, this.#remove)
  }

  revoke({ certPath }: Pick<Issued, 'certPath'>): Promise<void> {
    return this.#ca(['-revoke', certPath])
  }

  async crl({ days = 30 }: { readonly days?: number } = {}): Promise<{ path: string; pem: string }> {
    const path = join(this.#dir, `list-${(this.#count += 1)}.crl`)
    const times = ['-crl_lastupdate', opensslTime(Math.min(days, 0) - 30), '-crl_nextupdate', opensslTime(days)]
    await this.#ca(['-gencrl', ...times, '-out', path])
    return { path, pem: await readFile(path, 'utf8') }
  }

  remove(): Promise<void> {
    return this.#remove()
  }

  #sign(request: string, out: string, extensions: string, [from, to]: readonly [number, number]): Promise<void> {
    const times = ['-startdate', opensslTime(from), '-enddate', opensslTime(to)]
    return this.#ca(['-in', request, '-out', out, '-extfile', extensions, ...times, '-notext', '-preserveDN'])
  }

  #ca(args: readonly string[]): Promise<void> {
    const done = this.#queue.then(() =>
      run('openssl', ['ca', '-batch', '-config', join(this.#dir, 'openssl.cnf'), ...args]),
    )
    this.#queue = done.catch(() => undefined)
    return done.then(() => undefined)
  }
}
