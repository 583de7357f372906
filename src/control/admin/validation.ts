// zod's issues as the admin API tells them: each field named, in plain words.

import type { z } from '@hono/zod-openapi'
import type { FieldProblem } from '../control-error.ts'
import { problem } from './problem.ts'

type Issue = z.core.$ZodIssue

function fieldProblems(issue: Issue): FieldProblem[] {
  const path = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: path === '' ? key : `${path}.${key}`, message: 'unknown field' }))
  }
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) {
    return [{ path, message: 'is missing' }]
  }
  return [{ path, message: issue.message.replace(/^Invalid (?:input|option): /, '') }]
}

/** What is wrong with input that the schema does not take: in one sentence, and by field. */
export function inputProblems(issues: readonly Issue[]): { detail: string; errors: FieldProblem[] } {
  const errors = issues.flatMap(fieldProblems)
  const detail = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')
  return { detail, errors }
}

/** The answer to it. */
export const invalid = (issues: readonly Issue[]): Response => problem({ status: 400, ...inputProblems(issues) })
