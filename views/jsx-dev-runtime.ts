/** What `bun --hot` and the test runner import; the same runtime. */
export { Fragment, type JSX, jsxDEV } from './jsx-runtime.ts'
