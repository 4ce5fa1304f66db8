/** A picture for a profile, made from its name: clients show servers side by side, and none of ours should look like another. */
import type { JsonObject } from '@/plugins'

const HUES = [212, 262, 322, 8, 32, 142, 172, 192]

/** A data URI: the only kind that every client may load, whatever our own address is (2026-07-28, "Icons"). */
export function iconOf({ id, title }: { id: string; title: string }): JsonObject {
  const hue = HUES[Number(Bun.hash(id) & 0xffn) % HUES.length] ?? 212
  const [letter = 'T'] = [...title.trim().toUpperCase()]
  const shown = /[\p{L}\p{N}]/u.test(letter) ? letter : 'T'
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="hsl(${hue} 55% 42%)"/>` +
    `<text x="32" y="44" text-anchor="middle" font-family="system-ui,sans-serif" font-size="34" font-weight="600" fill="#fff">${shown}</text></svg>`
  return { src: `data:image/svg+xml;base64,${Buffer.from(svg, 'utf8').toString('base64')}`, mimeType: 'image/svg+xml', sizes: ['any'] }
}
