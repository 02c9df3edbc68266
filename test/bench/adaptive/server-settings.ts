import { DURABLE } from '../../fault-table/ledger.ts'

/** Group commit makes many writers fast only if commits wait for the disk. */
export const SERVER_SETTINGS: Readonly<Record<string, string>> = {
  ...DURABLE,
  ...{ shared_buffers: '128MB', max_wal_size: '4GB', checkpoint_timeout: '1h' },
}
