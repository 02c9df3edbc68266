/**
 * Goes in front of SQL that a person pastes. An owner of the database can put functions and operators of their own in front
 * of PostgreSQL's (ALTER DATABASE ... SET search_path, or a better matching overload in `public`), and a superuser who
 * pastes would run them.
 */
export const SAFE_PATH = 'set search_path = pg_catalog;'
