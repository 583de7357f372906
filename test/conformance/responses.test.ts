// Every case of responses/ against a running proxy: written at once by the backend, and byte by byte.
import assert from 'node:assert/strict'
import { after, before, describe as group, test } from 'node:test'
import { readCases } from './cases.ts'
import { type Delivery, Lanes, MAX_DRIP } from './lanes.ts'
import { runResponse } from './run-response.ts'

const LANES = 8
const cases = readCases('responses')

group('responses', { concurrency: LANES }, () => {
  let lanes: Lanes
  before(async () => {
    lanes = await Lanes.start(LANES)
  })
  after(() => lanes.close())

  test('the cases are all there', () => assert.ok(cases.length >= 213, `${cases.length} cases`))

  for (const one of cases) {
    const deliveries: Delivery[] = one.bytes.length <= MAX_DRIP ? ['at once', 'byte by byte'] : ['at once']
    for (const delivery of deliveries) {
      test(`${one.group}: ${one.name}, ${delivery}`, () => lanes.with((lane) => runResponse(lane, one, delivery)))
    }
  }
})
