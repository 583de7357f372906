// A plain table of some rows. On a phone each row becomes a card in which each value has its name beside it.
import type { ComponentChildren } from 'preact'

export interface Column<T> {
  readonly head: string
  readonly look?: 'number' | 'wide'
  readonly cell: (row: T) => ComponentChildren
}

export interface DataTableProps<T> {
  readonly label: string
  readonly columns: readonly Column<T>[]
  readonly rows: readonly T[]
  readonly keyOf: (row: T) => string
}

export function DataTable<T>({ label, columns, rows, keyOf }: DataTableProps<T>) {
  return (
    <div class="panel flat">
      <table class="data">
        <caption class="unseen">{label}</caption>
        <thead>
          <tr>
            {columns.map(({ head, look = '' }) => (
              <th key={head} scope="col" class={look}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ head, look = '', cell }) => (
                <td key={head} class={look} data-label={head}>
                  <div>{cell(row)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
