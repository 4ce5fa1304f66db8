import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createPrograms, type Program, ProgramError, whatItFetches } from '@/lib/programs.ts'
import { openHouse, OURSELVES } from '../support/channels.ts'
import { eventually } from '../support/outside.ts'

// Rows 47 and 52 of the abuse table.
const outside = mkdtempSync(join(tmpdir(), 'programs-'))
const dataDir = join(outside, 'data')
const elsewhere = join(outside, 'elsewhere')
const keyFile = join(outside, 'key')
mkdirSync(dataDir)
mkdirSync(elsewhere)
writeFileSync(join(dataDir, 'toolpass.db'), 'canary')
writeFileSync(keyFile, 'canary')
symlinkSync(dataDir, join(outside, 'way-round'))
/** Of another house: the guardian of one ends whatever is left in its folder when it closes, and would end what runs for the other. */
const bareDir = join(outside, 'bare')
mkdirSync(bareDir)
const environment = {
  ...process.env,
  TOOLPASS_ENCRYPTION_KEY: 'canary',
  NODE_OPTIONS: '--canary',
  LC_ALL: 'C',
  npm_config_registry: 'https://registry.test/',
}
const programs = createPrograms({ executable: OURSELVES, dataDir, hidden: [keyFile], environment })
afterAll(async () => {
  await programs.close()
  rmSync(outside, { recursive: true, force: true })
})

let runs = 0
function start(command: string, args: string[], env: Record<string, string> = {}, more: { memoryMb?: number } = {}) {
  runs += 1
  return programs.start({ command, args, env, key: `con_${runs}`, ...more })
}
async function run(command: string, args: string[], env: Record<string, string> = {}) {
  const program = await start(command, args, env)
  const [stdout, stderr, { code }] = await Promise.all([
    new Response(program.stdout).text(),
    new Response(program.stderr).text(),
    program.exited,
  ])
  return { stdout, stderr, code }
}
const sh = (script: string, env = {}) => run('sh', ['-c', script], env)

/** Living processes whose command line holds the text: the sleeping ones, and the shell whose script names it. */
function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && readFile(`/proc/${pid}/cmdline`).includes(text))
}
const alive = (text: string): number => processesWith(text).length
const readFile = (path: string): string => {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
async function firstLine(program: Program): Promise<string> {
  const reader = program.stdout.getReader()
  const { value } = await reader.read()
  reader.releaseLock()
  return new TextDecoder().decode(value).trim()
}
/** A number of seconds that no other sleep has, to find a process by. */
const uniqueSleep = () => `${9_000 + Math.floor(Math.random() * 900_000) / 100}`

describe('47: a program', () => {
  test('gets its arguments as they are, without a shell', async () => {
    const args = ['$HOME', '; touch /tmp/canary', '`id`', '*', '', 'a b', '"', '\n', 'ü']
    const { stdout } = await run('javascript', ['-e', 'console.log(JSON.stringify(process.argv.slice(1)))', '--', ...args])
    expect(JSON.parse(stdout)).toEqual(args)
  })
  test('gets a clean environment: an allow-list, its own folders, its own variables', async () => {
    const { stdout } = await run('env', [], { API_KEY: 'mine' })
    const names = stdout.split('\n').map((line) => line.split('=')[0])
    expect(stdout).not.toContain('canary')
    expect(names).toEqual(expect.arrayContaining(['PATH', 'HOME', 'TMPDIR', 'LC_ALL', 'npm_config_registry', 'API_KEY']))
    expect(stdout).toContain(`HOME=${dataDir}/programs/con_`)
  })
  test.each([
    ['the database', `cat ${dataDir}/toolpass.db`],
    ['a key file elsewhere', `cat ${keyFile}`],
    ['through a symlink', `cat ${outside}/way-round/toolpass.db`],
    ['through a new symlink', `ln -s ${dataDir} $HOME/l && cat $HOME/l/toolpass.db`],
    ['through a hard link', `ln ${dataDir}/toolpass.db $HOME/hard && cat $HOME/hard`],
    ['by moving it', `mv ${dataDir}/toolpass.db $HOME/moved && cat $HOME/moved`],
    ['by a path with dots', `cat $HOME/../../../toolpass.db`],
    ['through the memory or environment of the house', `cat /proc/${process.pid}/environ /proc/${process.pid}/maps`],
    ['of another program', `cat ${dataDir}/programs/con_other/home/file`],
  ])('reads no file of ours: %s', async (_how, script) => {
    mkdirSync(join(dataDir, 'programs/con_other/home'), { recursive: true })
    writeFileSync(join(dataDir, 'programs/con_other/home/file'), 'canary')
    const { stdout, code } = await sh(script)
    expect(stdout).not.toContain('canary')
    expect(stdout).toBe('')
    expect(code).not.toBe(0)
  })
  test.each([
    ['writing', 'echo x >'],
    ['cutting', 'truncate -s 0'],
    ['removing', 'rm -f'],
    ['chmod', 'chmod 777'],
  ])('changes no file of ours: %s', async (how, command) => {
    // chmod is not Landlock's to refuse; the fence stands whatever the mode says.
    const { code } = await sh(`${command} ${dataDir}/toolpass.db`)
    if (how !== 'chmod') expect(code).not.toBe(0)
    expect(readFileSync(join(dataDir, 'toolpass.db'), 'utf8')).toBe('canary')
    expect((await sh(`cat ${dataDir}/toolpass.db`)).stdout).toBe('')
    chmodSync(join(dataDir, 'toolpass.db'), 0o600)
  })
  test('works everywhere else: system, neighbours of the data folder, its own home', async () => {
    const { stdout, stderr, code } = await sh(
      `ls / >/dev/null && cat /etc/passwd >/dev/null && echo a > ${elsewhere}/a && mkdir ${elsewhere}/d && mv ${elsewhere}/a ${elsewhere}/d/a && cat ${elsewhere}/d/a && echo b > $HOME/b && cat $HOME/b && echo c > $TMPDIR/c && umask`,
    )
    expect(stderr).toBe('')
    expect(stdout).toBe('a\nb\n0077\n')
    expect(code).toBe(0)
  })
  test('cannot signal the house, gain privileges or dump core', async () => {
    const { stdout } = await sh(`kill -0 ${process.pid} && echo signalled; grep NoNewPrivs /proc/self/status; ulimit -c; ulimit -n`)
    expect(stdout).toContain('NoNewPrivs:\t1')
    expect(stdout).not.toContain('signalled')
    expect(stdout.trim().split('\n').slice(-2)).toEqual(['0', '8192'])
  })
  test('leaves nothing in its folder that the next start of the house would run outside the fence', async () => {
    const key = { command: 'sh', env: {}, key: 'con_bunfig' }
    const trap = `echo 'preload = ["./trap.ts"]' > bunfig.toml; echo 'require("fs").writeFileSync("${dataDir}/trapped", "x")' > trap.ts; echo 'A=1' > .env`
    await (await programs.start({ ...key, args: ['-c', trap] })).exited
    const again = await programs.start({ ...key, args: ['-c', 'echo $A'], env: { BUN_OPTIONS: '--preload ./trap.ts' } })
    expect(await new Response(again.stdout).text()).toBe('\n')
    expect(existsSync(join(dataDir, 'trapped'))).toBe(false)
  })
  test('shows no argument or variable of the connection while it starts', async () => {
    const program = await start('sh', ['-c', 'sleep 1'], { API_KEY: 'canary-at-start' })
    const seen = `${readFile(`/proc/${program.pid}/cmdline`)}`
    await program.stop()
    expect(seen).not.toContain('canary-at-start')
  })
  test('[ABUSE-47] is found on the PATH of the house, whatever the connection says', async () => {
    const own = join(elsewhere, 'bin')
    mkdirSync(own, { recursive: true })
    writeFileSync(join(own, 'env'), '#!/bin/sh\necho canary\n', { mode: 0o755 })
    const { stdout } = await run('env', [], { PATH: own })
    expect(stdout).not.toContain('canary')
    expect(stdout).toContain(`PATH=${own}`)
  })
  test('goes first when the machine runs out of memory', async () => {
    expect((await run('cat', ['/proc/self/oom_score_adj'])).stdout).toBe('700\n')
  })
  test.each([
    ['uvx', ['mcp-server-git'], 'Install uv there'],
    ['docker-of-nobody', [], 'Install it there'],
    ['pipx', [], 'Install pipx there'],
    ['podman', ['run'], 'Docker is not reachable for Toolpass'],
    ['deno', [], 'use “javascript”'],
    ['pnpx', ['x'], 'npx -y PACKAGE'],
    ['python9', [], 'Install Python there'],
    ['/opt/nowhere/server', [], 'There is no program at this path'],
  ])('[PROGRAM-MISSING] %s says what to do', async (command, args, sentence) => {
    const bare = createPrograms({ executable: OURSELVES, dataDir: bareDir, environment: { PATH: '/nowhere' } })
    const failed = await bare.start({ command, args, env: {}, key: 'con_bare' }).catch((error: Error) => error)
    expect(String(failed)).toContain(sentence)
    expect(String(failed)).not.toContain('/opt/nowhere')
    await bare.close()
  })
  test('[PROGRAM-MISSING] npx needs no npx: the runtime inside stands in', async () => {
    const bare = createPrograms({ executable: OURSELVES, dataDir: bareDir, environment: { PATH: '/nowhere' } })
    const program = await bare.start({ command: 'npx', args: ['-y', '--help'], env: {}, key: 'con_bare' })
    expect((await new Response(program.stdout).text()) + (await new Response(program.stderr).text())).toContain('bunx')
    await bare.close()
  })
  test.each([
    ['npx', ['-y', '@scope/server@1.2.3', '--flag'], '“@scope/server@1.2.3”'],
    ['npx', ['--package', '@scope/tools', 'server'], '“@scope/tools”'],
    ['/usr/bin/bunx', ['server'], '“server”'],
    ['javascript', ['x', '--bun', 'server'], '“server”'],
    ['uvx', ['--from', 'pkg', 'tool'], '“pkg”'],
    ['uvx', ['--python', '3.12', 'mcp-server-time'], '“mcp-server-time”'],
    ['uv', ['tool', 'run', 'mcp-server-time'], '“mcp-server-time”'],
    ['pipx', ['run', 'mcp-server-time'], '“mcp-server-time”'],
    ['docker', ['run', '-i', '--rm', '-e', 'KEY', '--name', 'x', 'mcp/time:1'], '“mcp/time:1”'],
  ])('[PROGRAM-FETCHES] %s %p fetches %s', (command, args, what) => {
    expect(whatItFetches(command, args)).toContain(`downloads`)
    expect(whatItFetches(command, args)).toContain(what)
  })
  test.each([
    ['sh', ['-c', 'true']],
    ['javascript', ['server.ts']],
    ['docker', ['ps']],
    ['npx', ['-y']],
  ])('[PROGRAM-FETCHES] %s %p fetches nothing that is known', (command, args) => {
    expect(whatItFetches(command, args)).toBeUndefined()
  })
  test.each([['no-such-program'], ['../bin/sh'], ['./sh'], ['/no/such/file']])('%s is refused with a sentence', async (command) => {
    await expect(start(command, [])).rejects.toBeInstanceOf(ProgramError)
  })
  test.each([['../up'], ['a/b'], [''], ['.']])('the key %p names no folder', async (key) => {
    await expect(programs.start({ command: 'true', args: [], env: {}, key })).rejects.toThrow('plain name')
  })
})

describe('beyond its limits it is ended, with all that it started', () => {
  test('[PROGRAM-MEMORY] memory, that of children and of one that left the session included', async () => {
    const sleep = uniqueSleep()
    // Two that hold 60 MB each, one of them in a session of its own: neither is too much, together they are.
    const hold = `perl -e '$x = "a" x 60_000_000; sleep ${sleep}'`
    const program = await start('sh', ['-c', `${hold} & setsid ${hold} & wait`], {}, { memoryMb: 100 })
    expect(await program.exited).toMatchObject({ because: 'It held more than 100 MB of memory and was ended.' })
    expect(alive(sleep)).toBe(0)
  }, 15_000)
  test('[PROGRAM-PROCESSES] processes', async () => {
    const sleep = uniqueSleep()
    const program = await start('sh', ['-c', `i=0; while [ $i -lt 600 ]; do sleep ${sleep} & i=$((i+1)); done; wait`])
    expect(await program.exited).toMatchObject({ because: 'It started more than 512 processes and was ended.' })
    expect(alive(sleep)).toBe(0)
  }, 15_000)
  test('[PROGRAM-PAGE] what runs is known with what it holds', async () => {
    const program = await start('sh', ['-c', 'sleep 1000 & wait'], {}, { memoryMb: 77 })
    expect(
      await eventually(async () => (await programs.running()).some(({ pid, processes }) => pid === program.pid && processes === 2)),
    ).toBe(true)
    const seen = (await programs.running()).find(({ pid }) => pid === program.pid)
    expect(seen?.memoryMb).toBe(77)
    expect(seen?.memoryBytes).toBeGreaterThan(0)
    await program.stop()
    expect((await programs.running()).some(({ pid }) => pid === program.pid)).toBe(false)
  })
})

describe('what it writes is bounded', () => {
  const house = openHouse()
  afterAll(() => house.close())
  const script = (text: string) => ({ command: 'perl', args: ['-e', `$| = 1; ${text}; sleep 60`] })
  test('[ABUSE-48] a line without an end ends the program at 16 MiB', async () => {
    const before = process.memoryUsage.rss()
    const { heard } = await house.open('stdio', script('print "x" x 1_000_000 while 1'))
    expect(await eventually(() => heard.closed.length === 1, 5_000)).toBe(true)
    expect(heard.closed[0]?.message).toContain('a message of more than 16777216 bytes')
    expect(process.memoryUsage.rss() - before).toBeLessThan(300 * 1024 * 1024)
  })
  test('[ABUSE-48] lines that are no messages end it after a hundred', async () => {
    const { heard } = await house.open('stdio', script('print "hello\n" while 1'))
    expect(await eventually(() => heard.closed.length === 1, 5_000)).toBe(true)
    expect(heard.closed[0]?.message).toContain('does not speak MCP')
    expect(heard.lines.length).toBeLessThanOrEqual(101)
  })
  test('[ABUSE-48] a flood on stderr leaves a few lines and a living program', async () => {
    const { channel, heard } = await house.open(
      'stdio',
      script('print STDERR "x" x 500, "\n" for 1..200_000; print STDERR "y" x 9_000_000'),
    )
    expect(await eventually(() => heard.lines.length >= 200)).toBe(true)
    await Bun.sleep(500)
    expect(heard.lines.length).toBeLessThan(250)
    expect(heard.closed).toEqual([])
    await channel.close()
  })
  test.each([
    [
      'docker',
      'docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
      'Docker is not reachable for Toolpass',
    ],
    ['uvx', 'error: No solution found when resolving tool dependencies', 'was not found where it was looked for'],
    ['npx', 'npm error code E404', 'was not found where it was looked for'],
    ['npx', 'getaddrinfo EAI_AGAIN packages.example', 'could not reach the network'],
    ['python3', 'ModuleNotFoundError: No module named mcp_server', 'A part of it is missing'],
  ])('[PROGRAM-MISSING] %s that ends with “%s” is explained', async (name, said, sentence) => {
    const own = join(elsewhere, name)
    writeFileSync(own, `#!/bin/sh\necho '${said}' >&2\nexit 1\n`, { mode: 0o755 })
    const { heard } = await house.open('stdio', { command: own })
    expect(await eventually(() => heard.closed.length === 1)).toBe(true)
    expect(heard.closed[0]?.message).toContain(sentence)
  })
})

describe('[ABUSE-52] no process is left', () => {
  const ways: readonly (readonly [string, (sleep: string) => string])[] = [
    ['one that ends when its stdin does', (sleep) => `sleep ${sleep} & cat >/dev/null`],
    ['one that forks', (sleep) => `sleep ${sleep} & sleep ${sleep} & wait`],
    [
      'one that ignores SIGTERM, with children that do',
      (sleep) => `trap '' TERM; (trap '' TERM; sleep ${sleep}; sleep ${sleep}) & while true; do sleep ${sleep}; done`,
    ],
    ['one whose child left its session', (sleep) => `setsid sleep ${sleep} & wait`],
    [
      'one whose grandchild is a daemon',
      (sleep) => `(setsid sh -c 'trap "" TERM; sleep ${sleep} & wait' >/dev/null 2>&1 &) ; wait; cat >/dev/null`,
    ],
    ['one that stops itself', (sleep) => `sleep ${sleep} & kill -STOP $$`],
  ]
  test.each(ways)('of %s', async (_name, script) => {
    const sleep = uniqueSleep()
    const program = await start('sh', ['-c', script(sleep)])
    expect(await eventually(() => alive(sleep) > 0)).toBe(true)
    const startMs = performance.now()
    await Promise.all([program.stop(), program.stop()])
    expect(performance.now() - startMs).toBeLessThan(1_000)
    expect(alive(sleep)).toBe(0)
  })
  test('of one that was killed from elsewhere, its children included', async () => {
    const sleep = uniqueSleep()
    const program = await start('sh', ['-c', `sleep ${sleep} & echo up; wait`])
    await firstLine(program)
    process.kill(program.pid, 'SIGKILL')
    expect(await program.exited).toEqual({ code: null, signal: 'SIGKILL' })
    expect(alive(sleep)).toBe(0)
    await program.stop()
  })
  test('a program that does not read piles up no memory without bound', async () => {
    const program = await start('sleep', ['100'])
    const flood = () => {
      for (let at = 0; at < 100; at += 1) program.stdin.write('x'.repeat(1024 * 1024))
    }
    expect(flood).toThrow('does not read')
    await program.stop()
  })
})

describe('[ABUSE-52] when the house itself is killed', () => {
  const houses: string[][] = []
  const source = resolve(import.meta.dir, '../support/program-house.ts')
  const compiled = join(outside, 'house')
  beforeAll(async () => {
    houses.push([process.execPath, source], [compiled])
    const build = Bun.spawnSync([process.execPath, 'build', '--compile', `--outfile=${compiled}`, source], { cwd: outside })
    if (build.exitCode !== 0) throw new Error(build.stderr.toString())
  }, 30_000)
  let lastDataDir = ''
  const plan = (more: object) => {
    lastDataDir = join(mkdtempSync(join(outside, 'h-')), 'data')
    return { ...process.env, HOUSE_PLAN: JSON.stringify({ dataDir: lastDataDir, ...more }) }
  }
  const startHouse = (at: number, more: object) =>
    Bun.spawn(houses[at] as string[], { env: plan(more), stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' })

  for (const [at, kind] of ['from source', 'compiled'].entries()) {
    test.each(['SIGKILL', 'SIGTERM'] as const)(`by %s, ${kind}, no program survives, nor what it forked or sent away`, async (signal) => {
      const sleep = uniqueSleep()
      const script = `trap '' TERM; sleep ${sleep} & setsid sleep ${sleep} & (trap '' TERM; sleep ${sleep}; sleep ${sleep}) & wait; wait`
      const house = startHouse(at, { command: 'sh', args: ['-c', script] })
      expect(await eventually(() => alive(sleep) >= 4, 5_000)).toBe(true)
      const guardian = guardianOf(house.pid)
      expect(guardian).toHaveLength(1)
      house.kill(signal)
      await house.exited
      expect(await eventually(() => alive(sleep) === 0)).toBe(true)
      expect(await eventually(() => guardianOf(house.pid).length === 0)).toBe(true)
    })
    test(`${kind}, what outlives the house and its guardian ends at the next start`, async () => {
      const sleep = uniqueSleep()
      const house = startHouse(at, { command: 'sh', args: ['-c', `setsid sleep ${sleep} & wait`] })
      expect(await eventually(() => alive(sleep) === 2, 5_000)).toBe(true)
      for (const guardian of guardianOf(house.pid)) process.kill(guardian, 'SIGKILL')
      house.kill('SIGKILL')
      await house.exited
      expect(await eventually(() => alive(sleep) === 1)).toBe(true)
      const next = createPrograms({ executable: OURSELVES, dataDir: lastDataDir, environment: {} })
      await next.sweepLeftovers()
      // Killed by now; the kernel may take a moment to take the dead away.
      expect(await eventually(() => alive(sleep) === 0)).toBe(true)
      await next.close()
    })
    test(`${kind}, the runtime inside runs JavaScript without node`, async () => {
      const house = startHouse(at, {
        command: 'javascript',
        args: ['-e', 'console.log("bun", process.versions.bun, process.env.BUN_BE_BUN)'],
      })
      const out = await new Response(house.stdout).text()
      expect(out).toContain(`bun ${Bun.version} 1`)
      expect(await house.exited).toBe(0)
    })
    test(`${kind}, files of ours stay out of reach`, async () => {
      const house = startHouse(at, { command: 'sh', args: ['-c', 'cat $HOME/../../../secret; echo $?'] })
      expect(await new Response(house.stdout).text()).toEndWith('1\n')
      await house.exited
    })
  }
  /** Its mark names the house it guards. */
  const guardianOf = (house: number): number[] =>
    processesWith(`.${house}-`).filter((pid) => readFile(`/proc/${pid}/cmdline`).includes('__guard-programs'))
})

test('the page can tell what protects', () => {
  for (const { name, detail } of programs.protections()) expect(`${name}${detail}`).not.toBe('')
  expect(programs.protections().every(({ active }) => active)).toBe(true)
})
