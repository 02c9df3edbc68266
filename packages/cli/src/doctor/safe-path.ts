/**
 * Prefix for SQL that a person pastes. The owner of a database can shadow PostgreSQL's functions and operators (ALTER
 * DATABASE ... SET search_path, or a better matching overload in `public`), and a superuser would run them.
 */
export const SAFE_PATH = 'set search_path = pg_catalog;'
