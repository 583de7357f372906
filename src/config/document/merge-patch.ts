// A merge patch (RFC 7396) over a document in normal form; flat keys in the patch go to their places first.
import { poolPlaces } from '../expand.ts'
import { formatListenAddress, parseListenAddress } from '../listen-address.ts'
import { ConfigError } from '../problem.ts'
import { adminDefaults } from '../schema/admin.ts'
import { flatDefaults } from '../schema/file.ts'
import { flatTlsPort } from '../schema/listener-tls.ts'
import { isObject, isSame } from './places.ts'
import type { Json } from './types.ts'

type JsonObject = Readonly<Record<string, Json>>

/**
 * The document with the patch in it: null takes away, objects are merged, everything else is put in the place of what
 * was there. @throws ConfigError where a flat key and its place say different things, or there is no listener to change.
 */
export function mergePatch(document: Json, patch: Json): Json {
  if (!isObject(patch) || !isObject(document)) return merged(document, patch)
  const { port, admin_port: adminPort, tls, ...rest } = patch
  const withPools = flatPoolKeysMoved(document, rest)
  const withAdmin = adminPort === undefined ? withPools : adminPortMoved(document, withPools, adminPort)
  let result = merged(document, withAdmin) as JsonObject
  if (port !== undefined) result = withListeners(result, (listeners) => portMoved(listeners, port))
  if (tls !== undefined) result = withListeners(result, (listeners) => tlsMoved(listeners, tls))
  return result
}

function merged(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch
  const result: Record<string, Json> = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      delete result[key]
      continue
    }
    const next = merged(Object.hasOwn(result, key) ? result[key] : undefined, value)
    // A plain assignment of `__proto__` would set the prototype, and hide an unknown key.
    Object.defineProperty(result, key, { value: next, enumerable: true, configurable: true, writable: true })
  }
  return result
}

function fail(path: string, message: string, hint: string): never {
  throw new ConfigError([{ file: 'patch', line: 0, column: 0, path, message, hint, value: undefined }])
}

/** The patch without the keys that stand for the pool `default`, or for the only one. */
function flatPoolKeysMoved(document: JsonObject, patch: JsonObject): JsonObject {
  let result = patch
  for (const [key, place] of Object.entries(poolPlaces)) {
    const { [key]: value, ...rest } = result
    if (value === undefined) continue
    result = withValue(rest, ['pools', onlyPool(document), ...place], value, key)
  }
  return result
}

function onlyPool(document: JsonObject): string {
  const names = isObject(document.pools) ? Object.keys(document.pools) : []
  return names.includes('default') || names.length !== 1 ? 'default' : names[0]!
}

function withValue(into: Json | undefined, place: readonly string[], value: Json, key: string): JsonObject {
  const object = isObject(into) ? into : {}
  const [step, ...rest] = place as [string, ...string[]]
  const there = object[step]
  if (rest.length > 0) return { ...object, [step]: withValue(there, rest, value, key) }
  if (there !== undefined && !isSame(there, value)) {
    fail(key, 'contradicts what the patch says at its place', 'keep one of the two')
  }
  return { ...object, [step]: value }
}

function adminPortMoved(document: JsonObject, patch: JsonObject, port: Json): JsonObject {
  const before = isObject(document.admin) ? document.admin.listen : undefined
  const listen = port === null ? null : addressWith(before, adminDefaults.host, port, 'admin_port')
  return withValue(patch, ['admin', 'listen'], listen, 'admin_port')
}

/** The address with another port; the interface stays. */
function addressWith(listen: Json | undefined, defaultHost: string, port: Json, key: string): string {
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535) {
    fail(key, `${JSON.stringify(port)} is not a port`, 'use 1 to 65535')
  }
  let host = defaultHost
  try {
    if (typeof listen === 'string') host = parseListenAddress(listen, { anyPort: true }).host
  } catch {
    // Told where the whole is checked.
  }
  return formatListenAddress({ host, port })
}

function withListeners(document: JsonObject, change: (listeners: readonly Json[]) => readonly Json[]): JsonObject {
  const { listeners } = document
  return { ...document, listeners: change(Array.isArray(listeners) ? listeners : []) }
}

const named = (listeners: readonly Json[], name: string): number =>
  listeners.findIndex((listener) => isObject(listener) && listener.name === name)

function portMoved(listeners: readonly Json[], port: Json): readonly Json[] {
  const byName = named(listeners, 'default')
  const index = byName === -1 && listeners.length === 1 ? 0 : byName
  const listener = listeners[index]
  if (!isObject(listener)) {
    if (listeners.length === 0 && port !== null) {
      return [{ name: 'default', listen: addressWith(undefined, '', port, 'port') }]
    }
    fail(
      'port',
      'there are several listeners, and none is named "default"',
      'name the one that is meant in "listeners"',
    )
  }
  return listeners.with(index, {
    ...listener,
    listen: addressWith(listener.listen, '', port ?? flatDefaults.port, 'port'),
  })
}

/** The flat key `tls` is the listener `default-tls`; what it cannot say stays as it is. */
function tlsMoved(listeners: readonly Json[], patch: Json): readonly Json[] {
  const index = named(listeners, 'default-tls')
  if (patch === null) {
    const rest = listeners.filter((_, i) => i !== index)
    return index === -1 ? rest : withRedirect(rest, false)
  }
  if (!isObject(patch)) fail('tls', 'is an object', 'write {"cert": …, "key": …}')
  const { port, cert, key, redirect_http: redirect, ...rest } = patch
  const plain = listeners[named(listeners, 'default')]
  const pool = isObject(plain) && plain.pool !== undefined ? { pool: plain.pool } : {}
  const old = index === -1 ? { name: 'default-tls', ...pool } : (listeners[index] as JsonObject)
  const oldTls = isObject(old.tls) ? old.tls : {}
  const pair = { ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) }
  const certificates = Object.keys(pair).length === 0 ? {} : { certificates: withFirst(oldTls.certificates, pair) }
  const listen =
    port === undefined && old.listen !== undefined
      ? old.listen
      : addressWith(old.listen, '', port ?? flatTlsPort, 'tls.port')
  const listener = { ...old, listen, tls: merged(oldTls, { ...rest, ...certificates }) }
  const all = index === -1 ? [...listeners, listener] : listeners.with(index, listener)
  const redirects = redirect ?? (port === undefined ? undefined : isRedirecting(all))
  return redirects === undefined ? all : withRedirect(all, redirects === true ? portOf(listen) : false)
}

function withFirst(certificates: Json | undefined, pair: JsonObject): readonly Json[] {
  const list = Array.isArray(certificates) ? certificates : []
  return [merged(list[0], pair), ...list.slice(1)]
}

function isRedirecting(listeners: readonly Json[]): boolean {
  const plain = listeners[named(listeners, 'default')]
  return isObject(plain) && plain.redirect_https !== undefined && plain.redirect_https !== false
}

function withRedirect(listeners: readonly Json[], port: Json): readonly Json[] {
  const index = named(listeners, 'default')
  const plain = listeners[index]
  if (!isObject(plain)) {
    if (port === false) return listeners
    fail(
      'tls.redirect_http',
      'there is no listener "default" that could redirect',
      'give the one that is meant "redirect_https"',
    )
  }
  const { redirect_https: _, ...rest } = plain
  return listeners.with(index, port === false ? rest : { ...rest, redirect_https: port })
}

function portOf(listen: Json): number {
  try {
    return parseListenAddress(String(listen), { anyPort: true }).port
  } catch {
    return flatTlsPort
  }
}
