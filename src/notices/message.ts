/** What is said, and how it is written for those who carry it. */
import type { NOTICE_TOPICS } from '@/store'

export type Topic = (typeof NOTICE_TOPICS)[number]
/** No arguments, no results: a notice passes through other people's hands, and what it is about is read here, signed in. */
export type Message = {
  title: string
  text: string
  /** The page to open, below our own address. */
  path: string
  isUrgent?: boolean
}
export type Outgoing = { id: string; topic: Topic; title: string; text: string; link: string; isUrgent: boolean; at: number }
/** One request to the world outside. */
export type Sending = { url: string; headers: Record<string, string>; body: string | Uint8Array<ArrayBuffer> }

const TITLE_CHARS_MAX = 120
const TEXT_CHARS_MAX = 400

/** Names of apps and tools are other people's text: one line, nothing that hides or turns it, cut. */
const clean = (text: string, charsMax: number): string => {
  const line = text
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  const letters = [...line]
  return letters.length > charsMax ? `${letters.slice(0, charsMax - 1).join('')}…` : line
}

export function outgoing(id: string, topic: Topic, { title, text, path, isUrgent = false }: Message, home: string, at: number): Outgoing {
  return { id, topic, title: clean(title, TITLE_CHARS_MAX), text: clean(text, TEXT_CHARS_MAX), link: `${home}${path}`, isUrgent, at }
}
