const NAME_LENGTH_MAX = 80

/** Attacker's text made fit for one line: no control, format (bidi, zero-width) or private characters, cut. */
export function cleanText(text: string, lengthMax = NAME_LENGTH_MAX): string {
  // Cut before and after: normalising a megabyte is work that nobody asked for.
  const clean = text
    .slice(0, lengthMax * 8)
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')
    .replace(/[\p{Cf}\p{Co}\p{Cs}\p{Cn}]/gu, '')
    // A pile of combining marks climbs over the lines above.
    .replace(/(\p{M}{3})\p{M}+/gu, '$1')
    .replace(/\s+/gu, ' ')
    .trim()
  return [...clean].slice(0, lengthMax).join('').trim()
}
