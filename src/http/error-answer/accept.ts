// Which form of an error answer a client wants: RFC 9110 §12.5.1, for the few that there are.

export type AnswerForm = 'text' | 'html' | 'json'

interface Rank {
  readonly form: AnswerForm
  readonly weight: number
  /** 2 = the type itself, 1 = `type/*`, 0 = anything. */
  readonly specificity: number
  /** Of its member in the list. */
  readonly position: number
}

/** In our own order: what decides where a client has no opinion. */
const offers: readonly { readonly form: AnswerForm; readonly type: string }[] = [
  { form: 'text', type: 'text/plain' },
  { form: 'html', type: 'text/html' },
  { form: 'json', type: 'application/problem+json' },
  { form: 'json', type: 'application/json' },
]

/** No honest client writes more. */
const MAX_LENGTH = 2048
const MAX_MEMBERS = 64

const TOKEN = "[!#$%&'+\\-.^_`|~0-9a-z]+"
/** Spaces belong to one place each: where two could have them, a list of semicolons would take for ever to be refused. */
const PARAMETERS = `(?:[\\t ]*;(?:[\\t ]*${TOKEN}=(?:[!#$%&'*+\\-.^_\`|~0-9a-z]+|"(?:[^"\\\\]|\\\\.)*"))?)*`
const MEMBER = new RegExp(`^(\\*/\\*|${TOKEN}/(?:\\*|${TOKEN}))(${PARAMETERS})$`)
const WEIGHT = /;[\t ]*q=([^;\t ]*)/
const QVALUE = /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/

interface Range {
  readonly type: string
  readonly weight: number
}

/**
 * The form that a client wants most; of equal ones that which it names most exactly, then first. `accept`: all values of
 * Accept, in one list. Text where it wants none that there is: an error in another form says more than none.
 */
export function preferredForm(accept: string): AnswerForm {
  if (accept === '' || accept === '*/*') return 'text'
  const form = known.get(accept)
  if (form !== undefined) return form
  const chosen = chooseForm(accept)
  if (accept.length <= MAX_KNOWN_LENGTH) {
    // What clients write is theirs: nobody is to fill memory with it.
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(accept, chosen)
  }
  return chosen
}

const MAX_KNOWN = 128
const MAX_KNOWN_LENGTH = 512
/** There are about as many values as browsers. */
const known = new Map<string, AnswerForm>()

function chooseForm(accept: string): AnswerForm {
  const ranges = rangesOf(accept.slice(0, MAX_LENGTH).toLowerCase())
  let best: Rank | null = null
  for (const { form, type } of offers) {
    const rank = rankOf(form, type, ranges)
    if (rank !== null && rank.weight > 0 && (best === null || isBetter(rank, best))) best = rank
  }
  return best === null ? 'text' : best.form
}

function isBetter(a: Rank, b: Rank): boolean {
  if (a.weight !== b.weight) return a.weight > b.weight
  if (a.specificity !== b.specificity) return a.specificity > b.specificity
  return a.position < b.position
}

/** By the most specific range that takes the type, whatever weight another has. */
function rankOf(form: AnswerForm, type: string, ranges: readonly Range[]): Rank | null {
  const family = `${type.slice(0, type.indexOf('/'))}/*`
  for (const [specificity, wanted] of [
    [2, type],
    [1, family],
    [0, '*/*'],
  ] as const) {
    const position = ranges.findIndex((range) => range.type === wanted)
    if (position >= 0) return { form, weight: ranges[position]!.weight, specificity, position }
  }
  return null
}

/** What cannot be read is left out. Parameters other than the weight count for nothing: what is offered has none. */
function rangesOf(accept: string): Range[] {
  const ranges: Range[] = []
  for (const member of membersOf(accept)) {
    const match = MEMBER.exec(member)
    if (match === null) continue
    const weight = WEIGHT.exec(match[2]!.replace(/"(?:[^"\\]|\\.)*"/g, '""'))?.[1]
    if (weight !== undefined && !QVALUE.test(weight)) continue
    ranges.push({ type: match[1]!, weight: weight === undefined ? 1 : Number(weight) })
  }
  return ranges
}

/** Commas within quotes separate nothing. */
function membersOf(list: string): string[] {
  const members: string[] = []
  let start = 0
  let isQuoted = false
  for (let at = 0; at <= list.length && members.length < MAX_MEMBERS; at++) {
    const character = list[at]
    if (isQuoted && character === '\\') at++
    else if (character === '"') isQuoted = !isQuoted
    else if (character === undefined || (character === ',' && !isQuoted)) {
      members.push(list.slice(start, at).trim())
      start = at + 1
    }
  }
  return members
}
