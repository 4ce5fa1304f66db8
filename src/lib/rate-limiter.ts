/** Counts in memory. The front door of the package would load its limiters for two dozen databases too, and four megabytes with them. */
export { default as RateLimiterMemory } from 'rate-limiter-flexible/lib/RateLimiterMemory.js'
export { default as RateLimiterRes } from 'rate-limiter-flexible/lib/RateLimiterRes.js'
