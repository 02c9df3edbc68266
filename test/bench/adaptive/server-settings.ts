/** Group commit makes many writers fast only if commits wait for the disk. */
export const SERVER_SETTINGS: Readonly<Record<string, string>> = {
  ...{ fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' },
  ...{ shared_buffers: '128MB', max_wal_size: '4GB', checkpoint_timeout: '1h' },
}
