import { type House, openHouse } from '@/app.ts'
import { listen } from '@/app/front.ts'
import { startSweeping } from '@/app/duties.ts'
import { createRest } from '@/lib/rest.ts'
import type { Config } from '@/config'
import { createLog } from '@/lib/log.ts'
import { type Command, print } from './command.ts'
import { openControl } from './control.ts'

export const serve: Command = {
  usage: 'toolpass serve',
  summary: 'Starts Toolpass (the default).',
  run: async ({ config }) => {
    const isTerminal = process.stdout.isTTY === true
    const log = createLog({
      level: config.logLevel,
      format: config.logFormat ?? (isTerminal ? 'pretty' : 'json'),
      colour: isTerminal,
      write: (line) => void process.stdout.write(`${line}\n`),
    })
    const house = await openHouse(config, log)
    outliveFaultsOfPlugins(house)
    try {
      await makeFirstAdministrator(house)
      const rest = createRest(house)
      const server = listen(house, rest.used)
      const control = openControl(house)
      const stopSweeping = startSweeping(house)
      const stop = createStop(house, () => server.stop(true), [control.close, stopSweeping, rest.stop])
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop)
      const origin = originOf(config, server.port ?? config.port)
      log.info('Toolpass is ready', { address: origin, data: config.dataDir })
      const link = await house.users.setUpLink()
      // A plain line of its own, whatever the log format: a person has to find it and click it.
      if (link) print(`\nSet up Toolpass (works once, for a day):\n${origin}/setup?token=${link}`)
    } catch (error) {
      await house.close()
      throw error
    }
  },
}

export const originOf = (config: Config, port: number): string => config.url?.href.replace(/\/+$/, '') ?? `http://localhost:${port}`

async function makeFirstAdministrator({ config, users, log }: House): Promise<void> {
  const { adminUsername: username, adminPassword: password } = config
  if (!username || !password || (await users.isSetUp())) return
  await users.create('command line', { username, password, role: 'admin' })
  log.info('the first administrator was made', { username })
}

/** Nothing of a plugin's own timers and promises passes through our hands, so what they throw is told by its stack. */
function outliveFaultsOfPlugins({ plugins, log }: House): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const)
    process.on(event, (error: unknown) => {
      if (plugins.fault(error)) return
      log.error('something broke on our side', error)
      process.exit(1)
    })
}

const STOP_MS_MAX = 10_000

function createStop(house: House, stopListening: () => Promise<void>, ends: readonly (() => void)[]) {
  return () => {
    house.log.info('stopping')
    // Something may hang; what was acknowledged is in the file already, so leaving is safe.
    setTimeout(() => process.exit(1), STOP_MS_MAX).unref()
    for (const end of ends) end()
    void stopListening()
      .then(house.close)
      .then(() => process.exit(0))
  }
}
