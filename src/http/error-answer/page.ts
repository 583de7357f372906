// An error as a page: no script, nothing from elsewhere, light or dark as its reader has it.
import { createHash } from 'node:crypto'
import { type ErrorLines, escapeHtml, insideHeading } from './error-lines.ts'

const STYLE =
  ':root{color-scheme:light dark}' +
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem;overflow-wrap:anywhere}' +
  'h1{font-size:1.5rem;margin:0 0 .5rem}p{margin:.5rem 0}code{font-size:.875rem}' +
  'section{margin-top:2rem;padding-top:1rem;border-top:1px solid GrayText;font-size:.875rem}' +
  'dt{font-weight:600}dd{margin:0 0 .5rem}'

/** Whoever gets something into a page gets nothing out of it: all it may use is its own style. */
export const pagePolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`

export function pageOf({ title, words, advice, requestId, inside }: ErrorLines): string {
  const id = requestId === '' ? '' : `<p>Request id: <code>${escapeHtml(requestId)}</code></p>\n`
  return (
    '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n' +
    '<meta name="viewport" content="width=device-width,initial-scale=1">\n<meta name="robots" content="noindex">\n' +
    `<title>${title}</title>\n<style>${STYLE}</style>\n` +
    `<main>\n<h1>${title}</h1>\n<p>${escapeHtml(words)}</p>\n<p>${escapeHtml(advice)}</p>\n${id}` +
    `${inside === null ? '' : insideSection(inside)}</main>\n</html>\n`
  )
}

function insideSection(lines: NonNullable<ErrorLines['inside']>): string {
  const list = lines.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>\n`).join('')
  return `<section>\n<p>${insideHeading}</p>\n<dl>\n${list}</dl>\n</section>\n`
}
