import { documentation, type RecommendedSetting } from './recommended-setting.ts'

const CONNECTION = 'runtime-config-connection'
const CLIENT = 'runtime-config-client'

/** What ends what was forgotten, and notices who is gone. Holds for every PostgreSQL from 15 on. */
export function connectionSettings(statementTimeout?: string): readonly RecommendedSetting[] {
  const settings: RecommendedSetting[] = [
    missing(
      'idle_in_transaction_session_timeout',
      '60s',
      CLIENT,
      'one missing rollback keeps its connection and its locks for ever',
    ),
    missing(
      'client_connection_check_interval',
      '10s',
      CONNECTION,
      'a query whose client is gone ends instead of running on (Linux, macOS and the BSDs)',
    ),
    missing(
      'tcp_keepalives_idle',
      '60',
      CONNECTION,
      'a client whose machine is gone is noticed after two minutes, not after two hours',
    ),
    missing('tcp_keepalives_interval', '10', CONNECTION, 'seconds between two questions to a client that is silent'),
    missing('tcp_keepalives_count', '6', CONNECTION, 'questions without an answer until its connection is given up'),
  ]
  return statementTimeout === undefined
    ? settings
    : [
        ...settings,
        {
          ...missing(
            'statement_timeout',
            statementTimeout,
            CLIENT,
            'asked for; migrations and dumps are held to it, too',
          ),
          wish: 'asked',
        },
      ]
}

function missing(name: string, value: string, page: string, reason: string): RecommendedSetting {
  return { name, value, reason, source: documentation(page, name), wish: 'missing' }
}
