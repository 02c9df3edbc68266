import type { Rule } from '../rule.ts'

export const serverFull: Rule = {
  id: 'server-full',
  title: 'The server has no connection left',
  severity: 'critical',
  check: ({ unreached, target }) =>
    unreached?.failure === 'full'
      ? [
          {
            evidence: `${target?.url} answers: ${unreached.message}.`,
            why: 'Every new connection of this role is refused until somebody else lets go of one.',
            change:
              'A superuser can still look: superuser_reserved_connections keeps slots for that (from 16 on a member of pg_use_reserved_connections has some, too). ' +
              'Run `select application_name, usename, state, count(*) from pg_stat_activity group by 1, 2, 3 order by 4 desc`, ' +
              'end what nobody needs with pg_terminate_backend(pid), then run doctor again.',
          },
        ]
      : [],
}
