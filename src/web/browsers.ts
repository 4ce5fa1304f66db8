// The first that fits: later names also say they are earlier ones ("Chrome … Safari", "Edg … Chrome").
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(Chrome|CriOS|Chromium|HeadlessChrome)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
  [/^curl\//, 'curl'],
]
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\b(iPhone|iPad)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
]

const firstIn = (list: typeof BROWSERS, text: string) => list.find(([pattern]) => pattern.test(text))?.[1]

/** A user agent in words people know ("Firefox on Linux"). It is the browser's own claim and decides nothing. */
export function browserOf(userAgent: string): string {
  const browser = firstIn(BROWSERS, userAgent) ?? 'Unknown browser'
  const system = firstIn(SYSTEMS, userAgent)
  return system ? `${browser} on ${system}` : browser
}
