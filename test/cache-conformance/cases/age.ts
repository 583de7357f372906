// RFC 9111 §4.2.3 and §5.1: how old an answer is, and what clients are told of it.
import { fetched, fresh, notReused, ok, reused, rule, section, stored } from '../case.ts'

export const age = section('age', 'How old an answer is', [
  rule(
    '9111 §4',
    "When a stored response is used to satisfy a request without validation, a cache MUST generate an Age header field (Section 5.1), replacing any present in the response with a value equal to the stored response's current_age; see Section 4.2.3.",
    [
      { id: 'zero', name: 'an answer that is reused at once has Age: 0', origin: [fresh()], steps: reused({ age: 0 }) },
      {
        id: 'grows',
        name: 'it grows with the clock',
        origin: [fresh()],
        steps: [
          fetched(1),
          stored(1, { after: 1, age: 1 }),
          stored(1, { after: 20, age: 21 }),
          stored(1, { after: 38, age: 59 }),
        ],
      },
      {
        id: 'replaces',
        name: 'it replaces that of the origin',
        origin: [fresh('Age: 10')],
        steps: [fetched(1), stored(1, { after: 5, age: 15 })],
      },
      {
        id: 'head',
        name: 'HEAD is told it too',
        origin: [fresh()],
        steps: [fetched(1), stored(1, { method: 'HEAD', after: 7, age: 7 })],
      },
      {
        id: 'on-304',
        name: 'and a client that gets a 304 from the cache',
        origin: [fresh('ETag: "a"')],
        steps: [fetched(1), stored(1, { asks: ['If-None-Match: "a"'], status: 304, after: 7, age: 7 })],
      },
      {
        id: 'on-206',
        name: 'and one that gets a range from it',
        origin: [fresh('ETag: "a"')],
        steps: [fetched(1), stored(1, { asks: ['Range: bytes=0-3'], status: 206, part: [0, 3], after: 7, age: 7 })],
      },
      {
        id: 'not-made-up',
        name: 'an answer that comes from the origin has none of ours',
        origin: [fresh()],
        steps: [fetched(1, { lacks: ['Age'] })],
      },
      {
        id: 'of-origin-kept',
        name: 'and keeps the one of a cache before us',
        origin: [fresh('Age: 10')],
        steps: [fetched(1, { has: ['Age: 10'] })],
      },
    ],
  ),
  rule(
    '9111 §4.2.3',
    'the "apparent_age": response_time minus date_value, if the implementation\'s clock is reasonably well synchronized to the origin server\'s clock. If the result is negative, the result is replaced by zero.',
    [
      {
        id: 'apparent',
        name: 'a Date of a while ago is an age',
        origin: [fresh('Date: {now-30}')],
        steps: [fetched(1), stored(1, { after: 5, age: 35 })],
      },
      {
        id: 'apparent-stale',
        name: 'of more than the lifetime: it was stale when it came',
        origin: [fresh('Date: {now-61}')],
        steps: notReused(),
        choice: 'The apparent age is taken into account (corrected_initial_age is the greater of the two).',
      },
      {
        id: 'apparent-negative',
        name: 'a Date in the future is age 0',
        origin: [fresh('Date: {now+30}')],
        steps: [fetched(1), stored(1, { after: 5, age: 5 })],
      },
      {
        id: 'date-invalid',
        name: 'a Date that is none is no age',
        origin: [fresh('Date: yesterday')],
        steps: [fetched(1), stored(1, { after: 5, age: 5 })],
      },
      {
        id: 'date-missing',
        name: 'nor is none at all',
        origin: [fresh('!Date')],
        steps: [fetched(1), stored(1, { after: 5, age: 5 })],
      },
    ],
  ),
  rule('9111 §4.2.3', 'corrected_initial_age = max(apparent_age, corrected_age_value);', [
    {
      id: 'greater-age',
      name: 'Age greater than the apparent age',
      origin: [fresh('Date: {now-10}', 'Age: 30')],
      steps: [fetched(1), stored(1, { after: 5, age: 35 })],
    },
    {
      id: 'greater-date',
      name: 'apparent age greater than Age',
      origin: [fresh('Date: {now-30}', 'Age: 10')],
      steps: [fetched(1), stored(1, { after: 5, age: 35 })],
    },
  ]),
  rule('9111 §4.2.3', 'resident_time = now - response_time; current_age = corrected_initial_age + resident_time;', [
    {
      id: 'restarts',
      name: 'a new answer of the origin begins anew',
      origin: [ok('Cache-Control: max-age=10', 'Age: 5'), ok('Cache-Control: max-age=10')],
      steps: [fetched(1), stored(1, { after: 4, age: 9 }), fetched(2, { after: 1 }), stored(2, { after: 3, age: 3 })],
    },
  ]),
  rule(
    '9111 §5.1',
    'Although it is defined as a singleton header field, a cache encountering a message with a list-based Age field value SHOULD use the first member of the field value, discarding subsequent ones.',
    [
      {
        id: 'list-first',
        name: 'the first of a list',
        origin: [fresh('Age: 10, 70')],
        steps: [fetched(1), stored(1, { after: 5, age: 15 })],
      },
      {
        id: 'list-first-stale',
        name: 'also where it is the greater one',
        origin: [fresh('Age: 70, 0')],
        steps: notReused(),
      },
      {
        id: 'lines-first',
        name: 'and of two lines',
        origin: [fresh('Age: 10', 'Age: 20')],
        steps: [fetched(1), stored(1, { after: 5, age: 15 })],
      },
    ],
  ),
  rule(
    '9111 §5.1',
    'If the field value (after discarding additional members, as per above) is invalid (e.g., it contains something other than a non-negative integer), a cache SHOULD ignore the field.',
    [
      { id: 'negative', name: 'a negative number', origin: [fresh('Age: -10')], steps: reused({ age: 0 }) },
      { id: 'word', name: 'a word', origin: [fresh('Age: old')], steps: reused({ age: 0 }) },
      { id: 'decimal', name: 'a decimal fraction', origin: [fresh('Age: 7200.5')], steps: reused({ age: 0 }) },
      { id: 'unit', name: 'a number with a unit', origin: [fresh('Age: 7200s')], steps: reused({ age: 0 }) },
      { id: 'quoted', name: 'a number in quotes', origin: [fresh('Age: "7200"')], steps: reused({ age: 0 }) },
      { id: 'empty', name: 'nothing', origin: [fresh('Age:')], steps: reused({ age: 0 }) },
    ],
  ),
  rule(
    '9111 §5.1',
    'The presence of an Age header field implies that the response was not generated or validated by the origin server for this request.',
    [
      {
        id: 'age-of-zero',
        name: 'Age: 0 from the origin is reused as any',
        origin: [fresh('Age: 0')],
        steps: [fetched(1), stored(1, { after: 3, age: 3 })],
      },
    ],
  ),
])
