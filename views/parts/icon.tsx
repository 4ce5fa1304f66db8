/**
 * The pinned set of icons (Lucide, ISC). Only files named here can be shown, and they are text inside the executable:
 * no address of an icon ever comes from outside. An icon never stands alone, a word says the same beside it.
 */
import activity from 'lucide-static/icons/activity.svg' with { type: 'text' }
import appWindow from 'lucide-static/icons/app-window.svg' with { type: 'text' }
import arrowLeft from 'lucide-static/icons/arrow-left.svg' with { type: 'text' }
import arrowRight from 'lucide-static/icons/arrow-right.svg' with { type: 'text' }
import bell from 'lucide-static/icons/bell.svg' with { type: 'text' }
import check from 'lucide-static/icons/check.svg' with { type: 'text' }
import chevronDown from 'lucide-static/icons/chevron-down.svg' with { type: 'text' }
import chevronRight from 'lucide-static/icons/chevron-right.svg' with { type: 'text' }
import circle from 'lucide-static/icons/circle.svg' with { type: 'text' }
import circleAlert from 'lucide-static/icons/circle-alert.svg' with { type: 'text' }
import circleCheck from 'lucide-static/icons/circle-check.svg' with { type: 'text' }
import circleX from 'lucide-static/icons/circle-x.svg' with { type: 'text' }
import clock from 'lucide-static/icons/clock.svg' with { type: 'text' }
import copy from 'lucide-static/icons/copy.svg' with { type: 'text' }
import cornerDownLeft from 'lucide-static/icons/corner-down-left.svg' with { type: 'text' }
import globe from 'lucide-static/icons/globe.svg' with { type: 'text' }
import hand from 'lucide-static/icons/hand.svg' with { type: 'text' }
import house from 'lucide-static/icons/house.svg' with { type: 'text' }
import info from 'lucide-static/icons/info.svg' with { type: 'text' }
import layers from 'lucide-static/icons/layers.svg' with { type: 'text' }
import library from 'lucide-static/icons/library.svg' with { type: 'text' }
import loader from 'lucide-static/icons/loader-circle.svg' with { type: 'text' }
import lock from 'lucide-static/icons/lock.svg' with { type: 'text' }
import logIn from 'lucide-static/icons/log-in.svg' with { type: 'text' }
import logOut from 'lucide-static/icons/log-out.svg' with { type: 'text' }
import menu from 'lucide-static/icons/menu.svg' with { type: 'text' }
import monitor from 'lucide-static/icons/monitor.svg' with { type: 'text' }
import pause from 'lucide-static/icons/pause.svg' with { type: 'text' }
import play from 'lucide-static/icons/play.svg' with { type: 'text' }
import plug from 'lucide-static/icons/plug.svg' with { type: 'text' }
import plus from 'lucide-static/icons/plus.svg' with { type: 'text' }
import refresh from 'lucide-static/icons/refresh-cw.svg' with { type: 'text' }
import settings from 'lucide-static/icons/settings.svg' with { type: 'text' }
import terminal from 'lucide-static/icons/terminal.svg' with { type: 'text' }
import trash from 'lucide-static/icons/trash-2.svg' with { type: 'text' }
import triangleAlert from 'lucide-static/icons/triangle-alert.svg' with { type: 'text' }
import user from 'lucide-static/icons/user.svg' with { type: 'text' }
import users from 'lucide-static/icons/users.svg' with { type: 'text' }
import x from 'lucide-static/icons/x.svg' with { type: 'text' }
import { type Html, raw } from '../jsx-runtime.ts'

const SOURCES = {
  activity,
  'app-window': appWindow,
  'arrow-left': arrowLeft,
  'arrow-right': arrowRight,
  bell,
  check,
  'chevron-down': chevronDown,
  'chevron-right': chevronRight,
  circle,
  'circle-alert': circleAlert,
  'circle-check': circleCheck,
  'circle-x': circleX,
  clock,
  copy,
  'corner-down-left': cornerDownLeft,
  globe,
  hand,
  house,
  info,
  layers,
  library,
  loader,
  lock,
  'log-in': logIn,
  'log-out': logOut,
  menu,
  monitor,
  pause,
  play,
  plug,
  plus,
  refresh,
  settings,
  terminal,
  trash,
  'triangle-alert': triangleAlert,
  user,
  users,
  x,
}
export type IconName = keyof typeof SOURCES

/** Lucide's own comment, class and size give way to ours; what is drawn stays as it is. */
const draw = (name: string, source: string): Html => {
  const shapes = source
    .replace(/^[\s\S]*?<svg[^>]*>/, '')
    .replace(/<\/svg>\s*$/, '')
    .replace(/\s*\n\s*/g, '')
  return raw(
    `<svg class="icon icon-${name}" viewBox="0 0 24 24" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">${shapes}</svg>`,
  )
}

const ICONS = Object.fromEntries(Object.entries(SOURCES).map(([name, source]) => [name, draw(name, source)]))

export const Icon = (p: { name: IconName }): Html => ICONS[p.name] as Html
