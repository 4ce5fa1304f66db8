/** What a person is told away from the pages, and by which ways. */
export { type AskedWay, createNotices, type Notices } from './notices.ts'
