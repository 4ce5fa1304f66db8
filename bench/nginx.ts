/** nginx as a pass-through, for comparison: what a proxy costs that was written for nothing else. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { familyOf } from './proc.ts'
import { freePort, makeFolder, start, type Started, stop, waitFor } from './processes.ts'

/** Bodies of 100 KB stay in memory both ways: a file in between would make it look slower than it is. */
const configuration = (folder: string, port: number, target: number) => `
daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr crit;
events { worker_connections 2048; }
http {
  access_log off; keepalive_requests 1000000000; client_body_buffer_size 256k; client_max_body_size 4m;
  proxy_buffer_size 16k; proxy_buffers 16 16k; proxy_busy_buffers_size 64k; proxy_max_temp_file_size 0;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  upstream far { server 127.0.0.1:${target}; keepalive 256; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${port} backlog=1024; location / { proxy_pass http://far; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}`

/** @returns undefined where there is no nginx */
export async function startNginx(target: number): Promise<Started | undefined> {
  const program = Bun.which('nginx', { PATH: `${process.env['PATH']}:/usr/sbin` })
  if (!program) return undefined
  const { folder, remove } = makeFolder('nginx')
  const port = await freePort()
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port, target))
  const child = start([program, '-p', folder, '-c', join(folder, 'nginx.conf')])
  await waitFor(`http://127.0.0.1:${port}/`, 5_000)
  return {
    port,
    pids: () => familyOf(child.pid),
    stop: async () => {
      await stop(child)
      remove()
    },
  }
}
