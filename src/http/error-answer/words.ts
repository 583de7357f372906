// What an error says to the people who see it: what happened, and what they can do. Nothing here tells of the inside.
import type { ErrorSpec } from '../../core/errors.ts'

/** Where the summary of an error tells of what stands behind the proxy. */
const plainWords: Readonly<Record<number, string>> = {
  404: 'There is nothing at this address',
  500: 'Something went wrong here',
  502: 'The service gave no answer that can be used',
  503: 'The service is not available at the moment',
  504: 'The service did not answer in time',
  508: 'The request goes round in a circle',
}

const again = 'If it goes on, tell whoever runs this service the request id.'

const adviceByStatus: Readonly<Record<number, string>> = {
  400: 'Check the address; if a program of yours sent this, it has a fault.',
  401: 'Log in, then try again.',
  403: 'If you should have access, ask whoever runs this service.',
  404: 'Check the address.',
  408: 'Try again; your connection may be slow.',
  413: 'Send less at once.',
  414: 'Use a shorter address.',
  417: 'If a program of yours sent this, it asks for something that is not offered here.',
  429: 'Wait a moment, then try again.',
  431: 'Deleting the cookies of this site may help.',
  500: `Try again. ${again}`,
  501: 'If a program of yours sent this, it asks for something that is not offered here.',
  502: `Try again in a moment. ${again}`,
  503: `Try again in a moment. ${again}`,
  504: `Try again in a moment. ${again}`,
  505: 'Use a newer client program.',
  508: 'Tell whoever runs this service the request id.',
}

/** A sentence for anybody. */
export function publicWords({ side, status, summary }: ErrorSpec): string {
  return `${side === 'client' ? summary : (plainWords[status] ?? summary)}.`
}

/** Where those of the same status need something else. */
const adviceByName: Readonly<Record<string, string>> = {
  not_cached: 'Ask without only-if-cached in Cache-Control to have it fetched.',
}

/** What whoever sees it can do. */
export function adviceFor({ name, status }: ErrorSpec): string {
  return adviceByName[name] ?? adviceByStatus[status] ?? again
}
