/** nginx as a pass-through, for comparison: what a proxy costs that was written for nothing else. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, start, type Started, stop, waitFor } from './processes.ts'

const configuration = (folder: string, port: number, target: number) => `
daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  upstream far { server 127.0.0.1:${target}; keepalive 64; keepalive_requests 1000000; }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://far; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}`

/** @returns undefined where there is no nginx */
export async function startNginx(target: number): Promise<Started | undefined> {
  const program = Bun.which('nginx', { PATH: `${process.env['PATH']}:/usr/sbin` })
  if (!program) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'toolpass-bench-nginx-'))
  const port = await freePort()
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port, target))
  const child = start([program, '-p', folder, '-c', join(folder, 'nginx.conf')])
  await waitFor(`http://127.0.0.1:${port}/`, 5_000)
  return {
    port,
    pids: () => [child.pid, ...childrenOf(child.pid)],
    stop: async () => {
      await stop(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const childrenOf = (pid: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return Number(readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]) === pid
      } catch {
        return false
      }
    })
    .map(Number)
