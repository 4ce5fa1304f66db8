/** Finding rows of the trail, what is counted of them, and the pages that show both. */
import type { Requirement } from '../requirements.ts'

const guide = (heading: string) => `docs/guides/activity.md#${heading}`

export const activity: readonly Requirement[] = [
  {
    id: 'TRAIL-HOURS',
    says: 'Counts by the hour equal counting the rows, and each row counts once, whenever the program was stopped.',
    clause: guide('counts'),
  },
  {
    id: 'TRAIL-FIND',
    says: 'Any filters together give exactly the rows they mean, page by page both ways, also where the index lags behind.',
    clause: guide('finding-rows'),
  },
  {
    id: 'TRAIL-SEARCH',
    says: 'A search is for words and never an expression, and a row must have each of them.',
    clause: guide('finding-rows'),
  },
  {
    id: 'TRAIL-SEARCH-OWN',
    says: 'Words of contents find rows only for whoever may read them, and are nowhere in the file in clear.',
    clause: guide('finding-rows'),
  },
  { id: 'TRAIL-FORGET', says: 'Rows that were removed leave the index, while their counts stay.', clause: guide('counts') },
  {
    id: 'ACTIVITY-FILTER',
    says: 'Filters of the activity page stand in its address, each is a chip that takes it off, and one that makes no sense is none.',
    clause: guide('finding-rows'),
  },
  { id: 'ACTIVITY-PAGES', says: 'Pages of activity lead to older rows and back to the same newer ones.', clause: guide('finding-rows') },
  {
    id: 'ACTIVITY-OWN',
    says: 'A member finds their own rows alone; an administrator finds those of everybody, by person too.',
    clause: guide('what-apps-did'),
  },
  {
    id: 'ACTIVITY-TEXT',
    says: 'What others wrote is text on every page of activity, in its charts as well.',
    clause: guide('what-apps-did'),
  },
  {
    id: 'ACTIVITY-LIVE',
    says: 'An open page of activity shows new rows within seconds, and while there are none it is answered with nothing.',
    clause: guide('what-apps-did'),
  },
  {
    id: 'CALL-KEPT',
    says: 'The page of a call shows what was kept of it, where the time went, and where to set what is kept.',
    clause: guide('one-call'),
  },
  {
    id: 'CALL-OTHERS',
    says: 'Of the calls of others an administrator sees and finds the row and never its contents, and the look is recorded.',
    clause: guide('one-call'),
  },
  {
    id: 'CALL-PERMIT',
    says: 'What is chosen on the page of a call for its app and tool holds on the next call.',
    clause: guide('one-call'),
  },
  {
    id: 'CALL-AGAIN',
    says: 'A call of a tool that reads can be made once more by its user, under what its app may do, in a row of its own; no other can.',
    clause: guide('one-call'),
  },
  {
    id: 'USAGE-COUNTS',
    says: "The usage page counts what is the reader's own; for an administrator everybody's, or that of whom they choose.",
    clause: guide('counts'),
  },
  {
    id: 'USAGE-TRIM',
    says: 'Tools and apps that did nothing for thirty days are offered for removal, by name; what came in since is not.',
    clause: guide('what-could-go'),
  },
  {
    id: 'DIGEST-WEEKLY',
    says: 'What a week was is told once a week to those who want it, is a page, and is not told of a week in which nothing was.',
    clause: guide('the-weekly-digest'),
  },
]
