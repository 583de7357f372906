// The page of the configuration: what is in force, a change with its plan before it is applied, and the way back.
import { hrefOf } from '../../shell/router.ts'
import { Editor } from './editor.tsx'
import { Expanded } from './expanded.tsx'
import { History } from './history.tsx'
import { Origins } from './origins.tsx'

const views = [
  { name: 'edit', label: 'Edit' },
  { name: 'history', label: 'History' },
  { name: 'origins', label: 'Origins' },
  { name: 'expanded', label: 'Expanded' },
] as const

export function Configuration({ query }: { readonly query: URLSearchParams }) {
  const view = query.get('view') ?? 'edit'
  return (
    <>
      <nav class="tabs" aria-label="Views of the configuration">
        {views.map(({ name, label }) => (
          <a
            key={name}
            href={hrefOf('configuration', name === 'edit' ? {} : { view: name })}
            aria-current={view === name ? 'page' : undefined}
          >
            {label}
          </a>
        ))}
      </nav>
      {view === 'history' ? (
        <History />
      ) : view === 'origins' ? (
        <Origins />
      ) : view === 'expanded' ? (
        <Expanded />
      ) : (
        <Editor />
      )}
    </>
  )
}
