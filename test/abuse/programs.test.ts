import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createPrograms, type Program, ProgramError } from '@/lib/programs.ts'
import { OURSELVES } from '../support/channels.ts'
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
function start(command: string, args: string[], env: Record<string, string> = {}) {
  runs += 1
  return programs.start({ command, args, env, key: `con_${runs}` })
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
  test.each([['no-such-program'], ['../bin/sh'], ['./sh'], ['/no/such/file']])('%s is refused with a sentence', async (command) => {
    await expect(start(command, [])).rejects.toBeInstanceOf(ProgramError)
  })
  test.each([['../up'], ['a/b'], [''], ['.']])('the key %p names no folder', async (key) => {
    await expect(programs.start({ command: 'true', args: [], env: {}, key })).rejects.toThrow('plain name')
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
