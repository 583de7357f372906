import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { DocumentChange, Json } from '../config/document/types.ts'
import { amendPool, backendItems, changesTowards, itemWith, withChanges, withItem } from './overlay.ts'

const stamp = { at: '2026-01-02T03:04:05.678Z', by: 'test', revision: 2 }
const urls = ['http://10.0.0.1', 'http://10.0.0.2', 'http://10.0.0.3', 'http://10.0.0.4']
const file: Json = {
  pools: {
    default: { strategy: 'first', backends: [urls[0]!, { url: urls[1]!, weight: 5 }] },
    other: { backends: [urls[0]!] },
  },
}

interface State {
  readonly whole: Json
  readonly changes: readonly DocumentChange[]
}

/** As a call for a backend does it; null takes it away. */
function amended(state: State, url: string, settings: Parameters<typeof itemWith>[2] | null): State {
  const { whole, changes } = state
  const inFile = backendItems(file, 'default')!
  const items = backendItems(whole, 'default')!
  const item = settings === null ? null : itemWith(url, items.get(url) ?? inFile.get(url), settings, inFile.get(url))
  const backends = [...withItem(items, { url, item }, inFile).values()]
  return amendPool({ file, whole, changes, pool: 'default', backends, stamp })
}

const begin: State = { whole: file, changes: [] }
const listed = ({ whole }: State): Json[] => [...backendItems(whole, 'default')!.values()]

describe('the overlay', () => {
  it('adds, changes and takes away over what the file says', () => {
    let state = amended(begin, urls[2]!, { weight: 2 })
    state = amended(state, urls[0]!, { max_connections: 9 })
    state = amended(state, urls[1]!, null)
    assert.deepEqual(listed(state), [
      { max_connections: 9, url: urls[0] },
      { weight: 2, url: urls[2] },
    ])
    assert.deepEqual(withChanges(file, state.changes), state.whole)
  })

  it('is empty again after everything was undone', () => {
    let state = amended(begin, urls[2]!, {})
    state = amended(state, urls[0]!, { weight: 3 })
    state = amended(state, urls[0]!, null)
    state = amended(state, urls[0]!, {})
    state = amended(state, urls[0]!, { weight: 1 })
    state = amended(state, urls[2]!, null)
    state = amended(state, urls[1]!, { weight: 7 })
    state = amended(state, urls[1]!, { weight: 5 })
    assert.deepEqual(state.changes, [])
    assert.deepEqual(state.whole, file)
  })

  it('brings one that the file names back to its place there', () => {
    const state = amended(amended(amended(begin, urls[2]!, {}), urls[0]!, null), urls[0]!, {})
    assert.deepEqual([...backendItems(state.whole, 'default')!.keys()], [urls[0], urls[1], urls[2]])
  })

  it('keeps who made a change, and when, where it says the same as before', () => {
    const { changes } = amended(begin, urls[0]!, { weight: 3 })
    const later = { at: '2027-01-01T00:00:00.000Z', by: 'somebody else', revision: 9 }
    const wanted = withChanges(file, changes) as { pools: Record<string, Json> }
    const more = { ...wanted, limits: { header_count: 50 } }
    assert.deepEqual(
      changesTowards(file, more, changes, later).map(({ path, by, revision }) => [path.at(-1), by, revision]),
      [
        ['weight', 'test', 2],
        ['header_count', 'somebody else', 9],
      ],
    )
  })

  it('gives, with the file, the document again, whatever was done in whatever order', () => {
    const settings = fc.record(
      { weight: fc.integer({ min: 1, max: 9 }), max_connections: fc.integer({ min: 0, max: 3 }), backup: fc.boolean() },
      { requiredKeys: [] },
    )
    const step = fc.tuple(fc.constantFrom(...urls), fc.option(settings, { nil: null }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let state = begin
        const shown = new Map(backendItems(file, 'default'))
        for (const [url, said] of steps) {
          state = amended(state, url, said)
          if (said === null) shown.delete(url)
          else shown.set(url, null)
        }
        assert.deepEqual(new Set(backendItems(state.whole, 'default')!.keys()), new Set(shown.keys()))
        assert.deepEqual(withChanges(file, state.changes), state.whole)
      }),
    )
  })
})
