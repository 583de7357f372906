// The shells that there is a completion for, and what it asks from the running Frontdesk.

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** Each is a call of the admin API by that name. */
export const liveKinds = ['backends', 'pools', 'listeners', 'routes'] as const
export type LiveKind = (typeof liveKinds)[number]
