// The nginx configurations of the benchmark: the parts that the backend and the measured proxy share, and the proxy's own.

import { tlsSuite } from './certificate.ts'
import { rateLimit, services } from './gateway.ts'
import type { Job } from './rivals.ts'

/** Before any block: in the foreground, everything below `root`. `modules` are files of nginx's modules folder. */
export function nginxMain(root: string, workers: number, modules: readonly string[] = []): string {
  return `${modules.map((file) => `load_module ${file};\n`).join('')}daemon off;
pid ${root}/nginx.pid;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes ${workers};
worker_rlimit_nofile 20000;
error_log stderr error;
events { worker_connections 16384; }
`
}

/** The begin of an `http` block. */
export function nginxHttp(root: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${root}/${name}_temp;`).join('\n  ')}
  keepalive_requests 1000000000;
`
}

/** The measured proxy, for any front. `streamModule`: path of ngx_stream_module.so, null where it is built in. `cacheLines`: for `http`. */
export function nginxProxy(job: Job, streamModule: string | null, cacheLines: string): string {
  const backend = `server 127.0.0.1:${job.backendPort};`
  const listen = `127.0.0.1:${job.port}${job.front === 'tls' ? ' ssl' : ''} backlog=4096${job.workers > 1 ? ' reuseport' : ''}`
  if (job.front === 'tcp') {
    return `${nginxMain(job.directory, job.workers, streamModule === null ? [] : [streamModule])}
stream {
  upstream backend { ${backend} }
  server { listen ${listen}; proxy_pass backend; }
}
`
  }
  return `${nginxMain(job.directory, job.workers)}
${nginxHttp(job.directory)}
  ${job.front === 'routes' ? `limit_req_zone $binary_remote_addr zone=clients:10m rate=${rateLimit}r/s;` : ''}
  ${cacheLines}
  upstream backend { ${backend} keepalive 256; keepalive_requests 1000000000; }
  server {
    listen ${listen};
    ${tlsLines(job)}
    ${job.front === 'routes' ? gatewayLocations() : `location / { ${passOn} }`}
  }
}
`
}

const passOn = 'proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection "";'

/** As the routes of Frontdesk in rivals.ts, with the forwarding fields that it sends without being asked to. */
function gatewayLocations(): string {
  return services
    .map(
      (name) => `location /${name}/ {
      ${passOn}
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Request-Id $request_id;
      proxy_set_header X-Env production;
      proxy_set_header X-Service ${name};
      proxy_set_header X-Client $remote_addr;
      add_header X-Frame-Options DENY;
      add_header X-Content-Type-Options nosniff;
      limit_req zone=clients burst=${rateLimit} nodelay;
    }`,
    )
    .join('\n    ')
}

function tlsLines({ certificate }: Job): string {
  if (certificate === null) return ''
  return `ssl_certificate ${certificate.certPath};
    ssl_certificate_key ${certificate.keyPath};
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites ${tlsSuite};
    ssl_session_tickets on;
    ssl_session_timeout 1h;`
}
