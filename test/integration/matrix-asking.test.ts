/** What a server asks of an app in the midst of a call, in every combination of revisions and transports: one row a behaviour. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { ANSWERING, type Answers, type Json, refusalOf, textOf } from '../support/matrix/apps.ts'
import { CELLS, type Cell, type Cells, openCells, type Row } from '../support/matrix/cells.ts'
import { type Asking, QUESTIONS } from '../support/matrix/world.ts'

const TASKS = 'io.modelcontextprotocol/tasks'
let cells: Cells
beforeAll(async () => {
  cells = await openCells()
})
afterAll(async () => {
  expect(cells.house.faults).toEqual([])
  await cells.close()
})

/** One call of a tool that asks, by an app that answers so. */
async function askedBy(cell: Cell, name: Asking, answers: Answers) {
  const app = await cells.fresh(cell, answers)
  try {
    const result = await app.call({ name })
    return { answer: result['isError'] ? textOf(result) : (JSON.parse(textOf(result)) as Json), questions: app.questions }
  } finally {
    await app.close()
  }
}

const answering = (action: string): Answers => ({ elicit: () => ({ action, ...(action === 'accept' && { content: { name: 'Ada' } }) }) })

const QUESTION_ROWS: readonly Row[] = [
  ...(['accept', 'decline', 'cancel'] as const).map(
    (action): Row => ({
      says: `[GATEWAY-ASKING] a form reaches the user as the server wrote it, and its answer the server: ${action}`,
      async run(cell) {
        const { answer, questions } = await askedBy(cell, 'form', answering(action))
        expect(answer).toEqual({ action, ...(action === 'accept' && { content: { name: 'Ada' } }) })
        expect(questions.length).toBe(1)
        const { message, requestedSchema } = QUESTIONS.form.params
        expect(questions[0]).toMatchObject({ method: 'elicitation/create', params: { message, requestedSchema } })
      },
    }),
  ),
  {
    says: '[GATEWAY-ASKING] a link reaches the user whole, and the server hears that it was opened',
    async run(cell) {
      const { answer, questions } = await askedBy(cell, 'link', ANSWERING)
      expect(answer).toEqual({ action: 'accept' })
      expect(questions).toEqual([
        { method: 'elicitation/create', params: expect.objectContaining({ mode: 'url', url: 'https://upstream.example/open' }) },
      ])
    },
  },
  {
    says: '[GATEWAY-ASKING] the app’s model is asked, and the server gets what it said',
    async run(cell) {
      const { answer, questions } = await askedBy(cell, 'model', ANSWERING)
      expect(answer).toEqual({ role: 'assistant', model: 'a-model', content: { type: 'text', text: 'A thing.' } })
      expect(questions[0]).toMatchObject({ method: 'sampling/createMessage', params: { maxTokens: 10 } })
    },
  },
  {
    says: '[GATEWAY-ASKING] the app’s roots are told to the server that asks for them',
    async run(cell) {
      const { answer, questions } = await askedBy(cell, 'roots', ANSWERING)
      expect(answer).toEqual({ roots: [{ uri: 'file:///home/ada', name: 'home' }] })
      expect(questions.map(({ method }) => method)).toEqual(['roots/list'])
    },
  },
]

const NEEDED: Record<Asking, Json> = {
  form: { elicitation: { form: {} } },
  link: { elicitation: { url: {} } },
  model: { sampling: {} },
  roots: { roots: {} },
}
/** An app without the capability. What happens depends on whom the server can ask at all. */
const LACKING_ROWS: readonly Row[] = (Object.keys(QUESTIONS) as Asking[]).flatMap((name): Row[] => [
  {
    says: `[GATEWAY-ASKING] ${name}: a modern server is told what the app offers, so it does not ask for what it does not`,
    only: ({ upstream }) => upstream === 'modern',
    async run(cell, { app }) {
      expect(textOf(await (await app(cell)).call({ name }))).toBe('The app offers no such thing, so it is not asked.')
    },
  },
  {
    says: `[GATEWAY-ASKING] ${name}: a legacy server cannot know, so it asks, and a modern app’s call is -32021 with what is missing`,
    only: ({ app, upstream }) => app === 'modern' && upstream === 'legacy',
    async run(cell, { app }) {
      expect(await refusalOf((await app(cell)).call({ name }))).toMatchObject({
        code: -32_021,
        data: { requiredCapabilities: NEEDED[name] },
      })
      // The server is not left waiting, and serves on.
      expect(textOf(await (await app(cell)).call({ name: 'echo' }))).toBe('echo')
    },
  },
  {
    says: `[GATEWAY-ASKING] ${name}: a legacy server cannot know, so it asks, and hears an error where a legacy app does not offer it`,
    only: ({ app, upstream }) => app === 'legacy' && upstream === 'legacy',
    async run(cell, { app }) {
      const result = await (await app(cell)).call({ name })
      expect([result['isError'], textOf(result)]).toEqual([true, 'could not ask: -32601'])
    },
  },
])

const TASK_ROWS: readonly Row[] = [
  {
    says: '[GATEWAY-TASKS] a legacy app’s task runs at a legacy server, under an id of ours that is worth nothing to another app',
    only: ({ app, upstream }) => app === 'legacy' && upstream === 'legacy',
    async run(cell, { fresh, house, of }) {
      const app = await fresh(cell)
      if (app.era !== 'legacy' || !('experimental' in app.client)) throw new Error('This is another app.')
      await app.client.listTools()
      const steps: string[] = []
      let taskId = ''
      for await (const step of app.client.experimental.tasks.callToolStream({ name: 'job' }, undefined, { task: { ttl: 60_000 } })) {
        if (step.type === 'taskCreated') taskId = step.task.taskId
        if (step.type === 'error') throw step.error
        steps.push(step.type === 'result' ? textOf(step.result) : step.type)
      }
      expect([steps[0], steps.at(-1)]).toEqual(['taskCreated', 'Done later.'])
      expect((await app.request('tasks/get', { taskId }))['status']).toBe('completed')
      const { admitted, ids } = of(cell)
      const other = await house.admit({ title: `Other ${cell.transport}` }, [ids['job'] as never])
      const stranger = await cells.connect(cell.app, other)
      expect((await refusalOf(stranger.request('tasks/get', { taskId }))).code).toBe(-32_602)
      expect(admitted.token).not.toBe(other.token)
      await Promise.all([app.close(), stranger.close()])
    },
  },
  {
    says: '[GATEWAY-TASKS] a modern app’s task runs at a modern server, under an id of ours',
    only: ({ app, upstream }) => app === 'modern' && upstream === 'modern',
    async run(cell) {
      const began = await cells.post(cell, 'tools/call', { name: 'job', arguments: {} }, { extensions: { [TASKS]: {} } })
      const { resultType, taskId } = began['result'] as { resultType: string; taskId: string }
      expect([resultType, taskId.length > 36]).toEqual(['task', true])
      let task: Json = {}
      for (let tries = 0; tries < 20 && task['status'] !== 'completed'; tries += 1) {
        await Bun.sleep(20)
        task = (await cells.post(cell, 'tasks/get', { taskId }, { extensions: { [TASKS]: {} } }))['result'] as Json
      }
      expect(task).toMatchObject({ taskId, status: 'completed', result: { content: [{ text: 'Done later.' }] } })
      expect((await cells.post(cell, 'tasks/get', { taskId }, {}))['error']).toMatchObject({ code: -32_021 })
      expect((await cells.post(cell, 'tasks/get', { taskId: `${taskId}x` }, { extensions: { [TASKS]: {} } }))['error']).toMatchObject({
        code: -32_602,
      })
    },
  },
  {
    says: '[GATEWAY-TASKS] tasks of one era are unknown to the other, so the tool answers at once',
    only: ({ app, upstream }) => app !== upstream,
    async run(cell, { app }) {
      expect(textOf(await (await app(cell)).call({ name: 'job' }))).toBe('Done at once.')
    },
  },
]

describe.each([...CELLS])('$title', (cell) => {
  const rows = [...QUESTION_ROWS, ...LACKING_ROWS, ...TASK_ROWS].filter(({ only }) => only?.(cell) ?? true)
  test.each(rows)('$says', ({ run }) => run(cell, cells))
})
