/**
 * The little that a page can do better with a script. Everything here is an extra: without it each page still works.
 * No build step, no evaluation of text as code, and all listeners on the document, so that swapped pieces need no care.
 */
const root = document.documentElement
// Shows what only a script can do (`.needs-js`) and lets toasts float, which somebody must be able to dismiss.
root.classList.add('js')

/* Copying. The clipboard is there on https and localhost only; elsewhere the old way still works. */

const copyTheOldWay = (text) => {
  const area = document.createElement('textarea')
  area.value = text
  area.className = 'hidden-text'
  document.body.append(area)
  area.select()
  const done = document.execCommand('copy')
  area.remove()
  return done
}

const copy = async (button) => {
  const text = button.dataset.copy
  const done = navigator.clipboard
    ? await navigator.clipboard.writeText(text).then(
        () => true,
        () => copyTheOldWay(text),
      )
    : copyTheOldWay(text)
  const word = button.querySelector('[data-copy-word]')
  word.textContent = done ? 'Copied' : 'Select it'
  button.classList.toggle('is-copied', done)
  setTimeout(() => {
    word.textContent = 'Copy'
    button.classList.remove('is-copied')
  }, 2000)
}

/* Times that keep ticking. The same rule as `ago` in views/parts/format.ts. */

const UNITS = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
]

const ago = (at) => {
  const seconds = Math.round((Date.now() - at) / 1000)
  const distance = Math.abs(seconds)
  if (distance < 5) return 'just now'
  if (distance > 60 * 86_400) return new Date(at).toISOString().slice(0, 10)
  const [size, unit] = UNITS.find(([each]) => distance >= each)
  return seconds > 0 ? `${Math.floor(distance / size)} ${unit} ago` : `in ${Math.round(distance / size)} ${unit}`
}

const tick = () => {
  for (const time of document.querySelectorAll('time[data-ago]')) {
    const at = Date.parse(time.dateTime)
    const text = ago(at)
    // Only what changed: a rewritten text would throw away a selection in it.
    if (time.textContent !== text) time.textContent = text
    time.title = new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' })
  }
}

/* Toasts */

const TOAST_MS = 6000

/** Good news goes by itself; bad news stays until it is dismissed. */
const expire = () => {
  for (const toast of document.querySelectorAll('[data-toast="good"]:not([data-expiring])')) {
    toast.dataset.expiring = ''
    setTimeout(() => toast.remove(), TOAST_MS)
  }
}

const say = (text) => {
  const region = document.querySelector('#toasts')
  if (!region || [...region.children].some((toast) => toast.textContent.includes(text))) return
  const toast = document.createElement('div')
  toast.className = 'toast tone-danger'
  toast.dataset.toast = 'bad'
  const words = document.createElement('span')
  words.textContent = text
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'icon-button'
  button.dataset.dismiss = ''
  button.textContent = '×'
  button.setAttribute('aria-label', 'Dismiss')
  toast.append(words, button)
  region.append(toast)
}

/* Lists of tools: select many at once, and what the selection costs. The same limits as in views/parts/meter.tsx. */

const LIGHT_MAX = 5_000
const FAIR_MAX = 15_000
const SCALE_MAX = 20_000

const short = (count) => {
  if (count < 1000) return String(Math.round(count))
  const thousands = count / 1000
  return thousands < 10 ? `${thousands.toFixed(1).replace(/\.0$/, '')}k` : `${Math.round(thousands)}k`
}

/** What the ticked ones cost; prompts and resources are no tools and cost nothing. */
const weigh = (meter, on) => {
  const cost = on.reduce((sum, box) => sum + Number(box.dataset.cost), Number(meter.dataset.meterBase ?? 0))
  const tools = on.filter((box) => box.dataset.feature === 'tool').length
  const [word, tone] = cost <= LIGHT_MAX ? ['Light', 'ok'] : cost <= FAIR_MAX ? ['Fair', 'warning'] : ['Heavy', 'danger']
  meter.className = `meter tone-${tone}`
  meter.querySelector('[data-meter-cost]').textContent = short(cost)
  meter.querySelector('[data-meter-word]').textContent = word
  meter.querySelector('[data-meter-tools]').textContent = `${tools} ${tools === 1 ? 'tool' : 'tools'}`
  meter.querySelector('[data-meter-fill]').setAttribute('width', `${Math.min(100, (cost / SCALE_MAX) * 100).toFixed(1)}%`)
}

const recount = (form) => {
  const boxes = [...form.querySelectorAll('input[name="tool_id"]')]
  const on = boxes.filter((box) => box.checked)
  const meter = form.querySelector('[data-meter]')
  if (meter) weigh(meter, on)
  for (const group of form.querySelectorAll('[data-group]')) {
    const inside = boxes.filter((box) => group.contains(box))
    const count = group.querySelector('[data-group-count]')
    if (count) count.textContent = `${inside.filter((box) => box.checked).length} of ${inside.length}`
  }
  // What the page was sent with is what is saved.
  form.classList.toggle(
    'is-unsaved',
    boxes.some((box) => box.checked !== box.defaultChecked),
  )
}

const select = (button) => {
  const which = button.dataset.select
  // What the filter hides stays as it is: nobody sees it being ticked.
  const boxes = [...button.closest('[data-group]').querySelectorAll('input[name="tool_id"]')].filter((box) => !box.closest('[hidden]'))
  for (const box of boxes) box.checked = which === 'all' || (which === 'read' && box.dataset.kind === 'read')
  recount(button.closest('form'))
}

/* Long lists of tools: only the rows that hold each word that was typed. */

const filter = (field) => {
  const form = field.closest('form')
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean)
  let found = 0
  for (const row of form.querySelectorAll('[data-row]')) {
    const text = row.textContent.toLowerCase()
    row.hidden = !words.every((word) => text.includes(word))
    if (!row.hidden) found += 1
  }
  const groups = [...form.querySelectorAll('tbody[data-group]')]
  const isHit = (group) => words.length === 0 || group.querySelector('[data-row]:not([hidden])') !== null
  const hits = new Set(groups.filter(isHit).map((group) => group.dataset.of))
  // The first of a connection bears its name.
  for (const group of groups) group.hidden = group.querySelector('.group-row') ? !hits.has(group.dataset.of) : !isHit(group)
  // A folded list opens while something in it is looked for, and goes back to how it was.
  for (const fold of form.querySelectorAll('.offered-part details')) {
    fold.dataset.was ??= String(fold.open)
    fold.open = words.length > 0 || fold.dataset.was === 'true'
    if (words.length === 0) delete fold.dataset.was
  }
  form.querySelector('[data-filter-none]').hidden = found > 0
}

document.addEventListener('input', (event) => {
  if (event.target.matches?.('[data-filter]')) filter(event.target)
})

/* Menus and questions (`<details data-closes>`) close by Escape and by a click elsewhere. */

const closeExcept = (target) => {
  for (const details of document.querySelectorAll('details[data-closes][open]')) if (!details.contains(target)) details.open = false
}

document.addEventListener('click', (event) => {
  const hit = (selector) => event.target.closest(selector)
  closeExcept(event.target)
  const button = hit('button')
  if (!button) return
  if ('copy' in button.dataset) void copy(button)
  else if ('dismiss' in button.dataset) button.closest('.toast').remove()
  else if ('close' in button.dataset) closeQuestion(button.closest('details'))
  else if ('select' in button.dataset) {
    // Without JavaScript some of these send the form, to the same end.
    event.preventDefault()
    select(button)
  }
})

const closeQuestion = (details) => {
  details.open = false
  details.querySelector('summary').focus()
}

document.addEventListener('keydown', (event) => {
  // Enter in the filter must not save what is ticked.
  if (event.key === 'Enter' && event.target.matches?.('[data-filter]')) event.preventDefault()
  if (event.key !== 'Escape') return
  const open = event.target.closest?.('details[data-closes][open]') ?? document.querySelector('details[data-closes][open]')
  if (open) closeQuestion(open)
})

document.addEventListener('change', (event) => {
  const form = event.target.closest('form[data-recount]')
  if (form && event.target.name === 'tool_id') recount(form)
})

/* A schedule begins with the time of where its reader is, unless there is one already. */

for (const zone of document.querySelectorAll('[data-own-zone] select')) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone
  if ([...zone.options].some((option) => option.value === own)) zone.value = own
}

/* htmx */

document.addEventListener('htmx:after:swap', () => {
  tick()
  expire()
})

const isPoll = (event) => event.detail.ctx?.sourceElement?.getAttribute('hx-trigger')?.startsWith('every') ?? false

// A page that nobody looks at does not poll; it catches up with the next interval.
// The navigation stands there twice, and its count with it: the one that is seen asks.
const isUnseen = (element) => element?.classList.contains('nav-count') && !element.parentElement.checkVisibility()

document.addEventListener('htmx:before:request', (event) => {
  if (isPoll(event) && (document.hidden || isUnseen(event.detail.ctx?.sourceElement))) event.preventDefault()
})

document.addEventListener('htmx:response:error', (event) => {
  const { status } = event.detail.ctx.response
  // The count in the navigation is on each page, also where somebody is filling in a form.
  if (event.detail.ctx.sourceElement?.classList.contains('nav-count')) return
  // Signed out meanwhile: the page itself leads to the sign-in, and back.
  if (status === 401) location.reload()
  // A refused form shows its own errors; a poll that fails is asked again anyway.
  else if (status !== 422 && !isPoll(event)) say('That did not work. Reload the page and try again.')
})

document.addEventListener('htmx:error', (event) => {
  if (!isPoll(event)) say('Toolpass cannot be reached. Check that it is running, then try again.')
})

// A browser that comes back to a page restores ticked boxes without an event.
window.addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-recount]')) recount(form)
})

tick()
expire()
setInterval(tick, 5_000)

/* Signing in to a server happens in a window of its own, so that nothing here is lost; it tells when it is done. */
const signIns = new BroadcastChannel('toolpass-sign-in')
document.addEventListener('submit', (event) => {
  const form = event.target.closest('form[data-popup]')
  if (!form || !window.open('', form.dataset.popup, 'popup,width=560,height=720')) return
  form.target = form.dataset.popup
  if (form.elements.popup) return
  const field = document.createElement('input')
  Object.assign(field, { type: 'hidden', name: 'popup', value: '1' })
  form.append(field)
})
signIns.addEventListener('message', ({ data }) => {
  if (location.pathname.endsWith(data.page)) location.reload()
})
const done = document.querySelector('[data-signed-in]')
if (done) {
  signIns.postMessage({ page: done.dataset.signedIn })
  window.close()
}

/* Notices in this browser: it subscribes with its maker, and the form carries what it got. */
const decodedKey = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))

const PUSH_MS = 15_000
/** A browser whose push service is out of reach goes on trying without a word. */
const pushPatience = () => new Promise((_, reject) => setTimeout(() => reject(new DOMException('', 'AbortError')), PUSH_MS))

const subscribe = async ({ dataset }) => {
  if (!('serviceWorker' in navigator && 'PushManager' in window))
    throw new Error('This browser takes no notices here. It takes https, and on an iPhone the page on the home screen.')
  if ((await Notification.requestPermission()) !== 'granted') throw new Error('This browser was told not to show notices of this page.')
  const registration = await navigator.serviceWorker.register(dataset.worker)
  // One of before may have been made with another key.
  await (await registration.pushManager.getSubscription())?.unsubscribe()
  const options = { userVisibleOnly: true, applicationServerKey: decodedKey(dataset.push) }
  const given = await Promise.race([registration.pushManager.subscribe(options), pushPatience()])
  return given.toJSON()
}

document.addEventListener('submit', async (event) => {
  const form = event.target.closest('form[data-push]')
  if (!form || form.elements.endpoint.value) return
  event.preventDefault()
  const problem = form.querySelector('[data-push-problem]')
  problem.hidden = true
  try {
    const { endpoint, keys } = await subscribe(form)
    form.elements.endpoint.value = endpoint
    form.elements.p256dh.value = keys.p256dh
    form.elements.auth.value = keys.auth
    form.submit()
  } catch (error) {
    problem.textContent = error.name === 'AbortError' ? 'The browser could not reach its push service. Try it again later.' : error.message
    problem.hidden = false
  }
})
