/** Icons are imported as text (`with { type: 'text' }`), so that they are inside the compiled executable. */
declare module '*.svg' {
  const text: string
  export default text
}
