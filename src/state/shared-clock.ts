// One monotonic clock for all threads. performance.now() counts from the start of its thread, and performance.timeOrigin
// is a reading of the wall clock: their sum differs between threads as soon as the wall clock was set in between.

/** Microseconds of the system's monotonic clock, which every thread reads alike. */
export function monotonicUs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e6 + nanoseconds / 1e3
}

const readings = 16

/** A clock that counts from `startUs` of `monotonicUs`: performance.now(), which is cheaper, put right once. */
export function sharedClock(startUs: number): () => number {
  let offsetUs = 0
  let narrowestMs = Number.POSITIVE_INFINITY
  // A thread may be interrupted between two readings: the closest pair is the right one.
  for (let i = 0; i < readings; i++) {
    const beforeMs = performance.now()
    const us = monotonicUs()
    const afterMs = performance.now()
    if (afterMs - beforeMs >= narrowestMs) continue
    narrowestMs = afterMs - beforeMs
    offsetUs = us - startUs - ((beforeMs + afterMs) / 2) * 1e3
  }
  return () => performance.now() * 1e3 + offsetUs
}
