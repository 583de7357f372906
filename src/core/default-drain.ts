// How long what a new configuration no longer names may finish: exchanges at a removed backend, connections of a removed listener.

export const defaultDrainMs = 30_000
