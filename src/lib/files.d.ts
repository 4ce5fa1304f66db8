declare module 'htmx.org/dist/htmx.min.js' {
  /** Path of the file, on disk or in the executable (imported with `{ type: 'file' }`). */
  const path: string
  export default path
}
