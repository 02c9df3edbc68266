import type { ShowRow } from '../pgbouncer-show.ts'

/** A row of `SHOW DATABASES`, as PgBouncer 1.24 writes it. */
export function showDatabase(more: ShowRow): ShowRow {
  return {
    name: 'orders',
    host: '127.0.0.1',
    port: '5432',
    database: 'orders',
    force_user: null,
    pool_size: '20',
    min_pool_size: '0',
    reserve_pool_size: '0',
    server_lifetime: '3600',
    pool_mode: null,
    load_balance_hosts: null,
    max_connections: '0',
    current_connections: '0',
    max_client_connections: '0',
    current_client_connections: '0',
    paused: '0',
    disabled: '0',
    ...more,
  }
}

/** A row of `SHOW POOLS`, as PgBouncer 1.24 writes it. */
export function showPool(more: ShowRow): ShowRow {
  return {
    database: 'orders',
    user: 'app',
    cl_active: '0',
    cl_waiting: '0',
    cl_active_cancel_req: '0',
    cl_waiting_cancel_req: '0',
    sv_active: '0',
    sv_active_cancel: '0',
    sv_being_canceled: '0',
    sv_idle: '0',
    sv_used: '0',
    sv_tested: '0',
    sv_login: '0',
    maxwait: '0',
    maxwait_us: '0',
    pool_mode: 'transaction',
    load_balance_hosts: null,
    ...more,
  }
}

/** The rows of `SHOW CONFIG`. */
export function showConfig(settings: Readonly<Record<string, number | string>>): ShowRow[] {
  return Object.entries(settings).map(([key, value]) => ({
    key,
    value: String(value),
    default: null,
    changeable: 'yes',
  }))
}

/** A row of `SHOW STATS`. */
export function showStats(more: ShowRow): ShowRow {
  return {
    database: 'orders',
    total_xact_count: '0',
    total_query_count: '0',
    total_received: '0',
    total_sent: '0',
    total_xact_time: '0',
    total_query_time: '0',
    total_wait_time: '0',
    ...more,
  }
}
