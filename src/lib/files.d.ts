declare module 'rate-limiter-flexible/lib/RateLimiterMemory.js' {
  export { RateLimiterMemory as default } from 'rate-limiter-flexible'
}
declare module 'rate-limiter-flexible/lib/RateLimiterRes.js' {
  export { RateLimiterRes as default } from 'rate-limiter-flexible'
}
declare module 'htmx.org/dist/htmx.min.js' {
  /** Path of the file, on disk or in the executable (imported with `{ type: 'file' }`). */
  const path: string
  export default path
}
