// The time, for what is told as "8 s ago".
import { useEffect, useState } from 'preact/hooks'

/** Milliseconds since 1970, a new value every so many. */
export function useNow(everyMs = 1000): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}
