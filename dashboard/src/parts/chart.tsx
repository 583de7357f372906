// A chart of the last five minutes: one or two lines over time, drawn by uPlot; the cursors of all charts move together.
import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'
import { onThemeChange } from '../shell/theme.ts'
import { greatest, type SeriesName, seriesLength } from '../store/series.ts'
import { store } from '../store/session.ts'
import { useStore } from '../store/store.ts'

export interface Line {
  readonly of: SeriesName
  readonly label: string
  /** A custom property of the style sheet that holds a colour. */
  readonly colour: string
}

export interface ChartProps {
  readonly title: string
  readonly lines: readonly Line[]
  readonly format: (value: number | null) => string
  /** The scale reaches at least to it, so that noise does not look like a mountain. */
  readonly least: number
  /** What may lie between two marks of the scale, ascending; without it powers of ten and their likes. */
  readonly steps?: readonly number[]
}

const height = 148
const together = uPlot.sync('charts')

export function Chart({ title, lines, format, least, steps }: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const series = useStore(store, (state) => state.series)
  const [pointed, setPointed] = useState<number | null>(null)
  const [theme, setTheme] = useState(0)
  useEffect(() => onThemeChange(() => setTheme((n) => n + 1)), [])

  // A chart is made anew for another theme, not for its props
  useEffect(() => {
    const target = box.current!
    const made = new uPlot(optionsOf(target, { lines, format, least, steps }, setPointed), [[]], target)
    plot.current = made
    const fit = new ResizeObserver(() => made.setSize({ width: target.clientWidth, height }))
    fit.observe(target)
    return () => {
      fit.disconnect()
      made.destroy()
    }
  }, [theme])

  // Also for a new theme: the new chart needs the data too.
  useEffect(() => {
    plot.current?.setData([[...series.at], ...lines.map(({ of }) => [...series.columns[of]])])
  }, [series, theme])

  const at = pointed !== null && pointed < series.at.length ? pointed : series.at.length - 1
  const told = lines.map(({ of, label }) => {
    const column = series.columns[of]
    return `${label} now ${format(column.at(-1) ?? null)}, at most ${format(greatest(column))}`
  })
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <dl>
          {lines.map(({ of, label, colour }) => (
            <div key={of}>
              <dt>
                <i class={`line ${colour}`} /> {label}
              </dt>
              <dd>{format(series.columns[of][at] ?? null)}</dd>
            </div>
          ))}
        </dl>
      </figcaption>
      <div ref={box} class="plot" role="img" aria-label={`${title}, last five minutes: ${told.join('; ')}`} />
    </figure>
  )
}

function optionsOf(
  target: HTMLElement,
  {
    lines,
    format,
    least,
    steps,
  }: Omit<ChartProps, 'title' | 'steps'> & { readonly steps: ChartProps['steps'] | undefined },
  point: (index: number | null) => void,
): uPlot.Options {
  const colour = (css: string): string => resolved(target, css)
  const axis = { stroke: colour('var(--muted)'), font: '11px system-ui, sans-serif', ticks: { show: false } }
  return {
    width: target.clientWidth,
    height,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: together.key }, points: { size: 6 } },
    scales: {
      x: { range: (_, __, to) => [(to ?? 0) - seriesLength, to ?? 0] },
      y: { range: (_, __, to) => [0, Math.max(least, (to ?? 0) * 1.1)] },
    },
    axes: [
      { ...axis, size: 24, grid: { show: false }, space: 70, values: (_, ticks) => ticks.map(minutes) },
      {
        ...axis,
        size: 56,
        space: 34,
        gap: 6,
        grid: { stroke: colour('var(--grid)'), width: 1 },
        values: (_, ticks) => ticks.map(format),
        ...(steps !== undefined && { incrs: [...steps] }),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, colour: name }, i) => ({
        label,
        stroke: colour(`var(--${name})`),
        width: 1.6,
        points: { show: false },
        ...(i === 0 && { fill: colour(`color-mix(in srgb, var(--${name}) 13%, transparent)`) }),
      })),
    ],
    hooks: { setCursor: [(made) => point(made.cursor.idx ?? null)] },
  }
}

const minutes = (at: number): string => new Date(at * 1000).toTimeString().slice(0, 5)

/** What a canvas can use: there `var()` and `light-dark()` mean nothing. */
function resolved(target: HTMLElement, css: string): string {
  const probe = document.createElement('i')
  probe.style.color = css
  target.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
