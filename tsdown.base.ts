/** What the builds of all packages have in common: less to publish, and less to load. */
export const base = {
  target: 'node22.12',
  // Without the comments that name the source of each part.
  inputOptions: { experimental: { attachDebugInfo: 'none' } },
  outputOptions: { comments: { jsdoc: false } },
} as const
