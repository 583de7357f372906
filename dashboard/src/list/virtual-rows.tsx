// A long list in the flow of the page: as tall as all its rows, of which only those in sight exist.
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { offsetsOf, type Range, visibleRange } from './virtual-range.ts'

/** Rows are drawn for so many pixels above and below what is in sight. */
const beyondPx = 400

export interface VirtualRowsProps<T> {
  readonly items: readonly T[]
  readonly heightOf: (item: T) => number
  readonly keyOf: (item: T) => string
  readonly render: (item: T, index: number) => ComponentChildren
}

export function VirtualRows<T>({ items, heightOf, keyOf, render }: VirtualRowsProps<T>) {
  const box = useRef<HTMLDivElement>(null)
  const offsets = useMemo(() => offsetsOf(items.map(heightOf)), [items, heightOf])
  const range = useVisible(box, offsets)
  return (
    <div class="rows" role="rowgroup" ref={box} style={{ height: `${offsets.at(-1)}px` }}>
      <div style={{ transform: `translateY(${offsets[range.from]}px)` }} role="presentation">
        {items.slice(range.from, range.to).map((item, i) => (
          <div key={keyOf(item)} style={{ height: `${heightOf(item)}px` }} role="presentation">
            {render(item, range.from + i)}
          </div>
        ))}
      </div>
    </div>
  )
}

function useVisible(box: { current: HTMLDivElement | null }, offsets: Float64Array): Range {
  const [range, setRange] = useState<Range>(() => visibleRange(offsets, 0, innerHeight, beyondPx))
  useLayoutEffect(() => {
    let scheduled = 0
    const look = (): void => {
      scheduled = 0
      if (box.current === null) return
      const top = -box.current.getBoundingClientRect().top
      const next = visibleRange(offsets, top, innerHeight, beyondPx)
      setRange((now) => (now.from === next.from && now.to === next.to ? now : next))
    }
    const soon = (): void => {
      scheduled ||= requestAnimationFrame(look)
    }
    look()
    addEventListener('scroll', soon, { passive: true })
    addEventListener('resize', soon, { passive: true })
    return () => {
      cancelAnimationFrame(scheduled)
      removeEventListener('scroll', soon)
      removeEventListener('resize', soon)
    }
  }, [box, offsets])
  // The list may have become shorter since the range was found.
  const count = offsets.length - 1
  return { from: Math.min(range.from, Math.max(0, count - 1)), to: Math.min(range.to, count) }
}
