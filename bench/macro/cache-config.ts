// How the others are told to cache: what is fastest for each of them and still keeps what HTTP says.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Job } from './rivals.ts'

/** Longest answer that is kept: Frontdesk's default for everybody. */
const maxObjectMiB = 8

/**
 * Within nginx's `http` block; its files lie in memory. As fast as it can be made: descriptors stay open, none is looked up
 * again within the hour, and reading and writing files of this size costs less than `sendfile`; the process that clears up
 * behind the workers may do so ten times as fast as by default. `packaged`: as Debian delivers it.
 */
export function nginxCache(job: Job, packaged: boolean): string {
  const manager = packaged ? '' : ' manager_files=10000 manager_threshold=500ms'
  const files = packaged
    ? 'sendfile on;'
    : 'sendfile off; output_buffers 2 256k; open_file_cache max=16000 inactive=1h; open_file_cache_valid 1h;'
  const size = `keys_zone=answers:64m max_size=${job.cacheMiB}m`
  return `proxy_cache_path ${job.memoryDirectory} levels=1:2 ${size} inactive=1h use_temp_path=off${manager};
  proxy_cache answers;
  ${files}`
}

/** A line for HAProxy's `global`, or '': with its usual 16 KiB a long answer goes out in as many pieces. */
export function haproxyBuffers(job: Job): string {
  return job.cacheMiB > 0 && job.longAnswers ? '  tune.bufsize 262144\n' : ''
}

/** HAProxy's section of the cache, or ''. It keeps nothing for longer than a minute unless it is told to. */
export function haproxyCache(job: Job): string {
  if (job.cacheMiB === 0) return ''
  const maxObject = Math.min(maxObjectMiB, job.cacheMiB / 2) * 2 ** 20
  return `cache answers
  total-max-size ${job.cacheMiB}
  max-object-size ${maxObject}
  max-age 3600
`
}

/** Within HAProxy's backend section. */
export function haproxyCacheRules(job: Job): string {
  return job.cacheMiB > 0 ? '  http-request cache-use answers\n  http-response cache-store answers\n' : ''
}

/** Everything that Varnish writes of a request to its log in memory; the others keep none either. */
const varnishRecords =
  'Begin End Link SessOpen SessClose ReqStart ReqMethod ReqURL ReqProtocol ReqHeader ReqUnset ReqAcct RespProtocol RespStatus ' +
  'RespReason RespHeader RespUnset BereqMethod BereqURL BereqProtocol BereqHeader BereqUnset BereqAcct BerespProtocol ' +
  'BerespStatus BerespReason BerespHeader BerespUnset BackendOpen BackendReuse BackendClose BackendStart Length Storage TTL ' +
  'Fetch_Body Timestamp VCL_call VCL_return VCL_use Hit Filters'

/** Varnish's command line; without a cache everything is passed. A thread for each connection serves it best. */
export function varnishCommand(job: Job): string[] {
  const program = join(job.directory, 'bench.vcl')
  const pass = job.cacheMiB > 0 ? '' : 'sub vcl_recv { return (pass); }\n'
  writeFileSync(
    program,
    `vcl 4.1;
backend one { .host = "127.0.0.1"; .port = "${job.backendPort}"; }
${pass}`,
  )
  const parameters = {
    thread_pools: job.workers,
    thread_pool_min: 100,
    thread_pool_max: 200,
    timeout_linger: 1,
    http_gzip_support: 'off',
    vsl_mask: varnishRecords.replaceAll(/\w+/g, '-$&').replaceAll(' ', ','),
  }
  const settings = Object.entries(parameters).flatMap(([name, value]) => ['-p', `${name}=${value}`])
  return [
    'varnishd',
    '-F',
    ...['-j', 'none'],
    ...['-n', job.memoryDirectory],
    ...['-a', `127.0.0.1:${job.port}`],
    ...['-f', program],
    ...['-s', `malloc,${Math.max(1, job.cacheMiB)}m`],
    ...settings,
  ]
}
