// How the others are told to cache: what is fastest for each of them and still keeps what HTTP says.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Job } from './rivals.ts'

/** Longest answer that is kept: Frontdesk's default for everybody. */
const maxObjectMiB = 8

/** Within nginx's `http` block. Its files lie in memory; descriptors stay open, and none is looked up again within the hour. */
export function nginxCache(job: Job): string {
  const zone = 'keys_zone=answers:64m'
  return `proxy_cache_path ${job.memoryDirectory} levels=1:2 ${zone} max_size=${job.cacheMiB}m inactive=1h use_temp_path=off;
  proxy_cache answers;
  sendfile on;
  open_file_cache max=16000 inactive=1h;
  open_file_cache_valid 1h;`
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

/** Varnish's command line; without a cache everything is passed. */
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
    http_gzip_support: 'off',
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
