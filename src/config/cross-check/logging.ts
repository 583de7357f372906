// Names in the access log: variables of its template, members of its JSON lines.
import { jsonFields } from '../../observe/access/json-line.ts'
import { logVariableProblem } from '../../observe/access/log-variables.ts'
import { parseTemplate, variablesOf } from '../../routing/template.ts'
import { closest } from '../../util/edit-distance.ts'
import { show } from '../problem.ts'
import type { Path } from '../source-tree.ts'
import type { Check } from './check.ts'

const place: Path = ['logging', 'access']

export function checkLogging(check: Check): void {
  const { access } = check.config.logging
  if (access === null) return
  if (access.template !== null) checkTemplate(check, access.template)
  for (const [i, name] of (access.fields ?? []).entries()) checkField(check, [...place, 'fields', i], name)
}

function checkTemplate({ report }: Check, template: string): void {
  const path = [...place, 'template']
  try {
    for (const name of variablesOf(parseTemplate(template))) {
      const problem = logVariableProblem(name)
      if (problem !== null) report(path, problem.message, problem.hint, { value: template })
    }
  } catch (error) {
    report(path, (error as Error).message, undefined, { value: template })
  }
}

/** Names that other proxies have, and what is called so here. */
const otherNames: Readonly<Record<string, string>> = {
  remote_addr: 'client',
  client_ip: 'client',
  uri: 'target',
  path: 'target',
  size: 'bytes_sent',
  bytes: 'bytes_sent',
  duration: 'duration_ms',
  upstream: 'backend',
  request: 'target',
}

function checkField({ report }: Check, path: Path, name: string): void {
  if (jsonFields.includes(name)) return
  if (name === 'time') {
    report(path, 'is in every line anyway', 'leave it out')
    return
  }
  const guess = otherNames[name] ?? closest(name, jsonFields)
  const hint = guess === null ? `there are ${new Intl.ListFormat('en').format(jsonFields)}` : `did you mean "${guess}"?`
  report(path, `${show(name)} is no member of a line`, hint)
}
