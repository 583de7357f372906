// What workers say that is only for the log.
import type { Log } from '../core/log.ts'
import type { FromWorker } from '../worker/protocol.ts'

type News = Extract<FromWorker, { readonly type: 'turned-away' | 'problem' | 'plugin-failure' }>

export function logNews(log: Log, worker: number, news: News): void {
  switch (news.type) {
    case 'turned-away': {
      const { listener, reason, count, detail, address } = news
      const what = count === 1 ? `a connection from ${address}` : `${count} connections, the last from ${address}`
      const why = detail === '' ? reason : `${reason}: ${detail}`
      const words = `listener ${listener}: ${what} did not come in (${why})`
      log.event('info', 'turned_away', words, { listener, reason, count, detail, address })
      return
    }
    case 'problem':
      log.event('error', 'worker_problem', news.message, { worker })
      return
    case 'plugin-failure': {
      const { what, count, error } = news
      const times = count === 1 ? '' : ` ${count} times, the first`
      log.event('error', 'plugin_failed', `${what} failed${times}: ${error}`, { worker, what, count })
    }
  }
}
