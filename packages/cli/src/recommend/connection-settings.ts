import { t } from '../output/translate.ts'
import { documentation, type RecommendedSetting } from './recommended-setting.ts'

const CONNECTION = 'runtime-config-connection'
const CLIENT = 'runtime-config-client'

/** Timeouts for forgotten transactions and disconnected clients, for PostgreSQL 15 and later. */
export function connectionSettings(statementTimeout?: string): readonly RecommendedSetting[] {
  const settings: RecommendedSetting[] = [
    defaultSetting(
      'idle_in_transaction_session_timeout',
      '60s',
      CLIENT,
      t`without it, one missing ROLLBACK holds a connection and its locks until the session ends`,
    ),
    defaultSetting(
      'client_connection_check_interval',
      '10s',
      CONNECTION,
      t`cancels a query if its client has disconnected (Linux, macOS and the BSDs)`,
    ),
    defaultSetting(
      'tcp_keepalives_idle',
      '60',
      CONNECTION,
      t`detects an unreachable client after two minutes instead of two hours`,
    ),
    defaultSetting('tcp_keepalives_interval', '10', CONNECTION, t`seconds between keepalive probes to a silent client`),
    defaultSetting(
      'tcp_keepalives_count',
      '6',
      CONNECTION,
      t`lost keepalive probes before the server closes the connection`,
    ),
  ]
  return statementTimeout === undefined
    ? settings
    : [
        ...settings,
        {
          ...defaultSetting(
            'statement_timeout',
            statementTimeout,
            CLIENT,
            t`from --statement-timeout; also applies to migrations and dumps`,
          ),
          priority: 'requested',
        },
      ]
}

function defaultSetting(name: string, value: string, page: string, reason: string): RecommendedSetting {
  return { name, value, reason, source: documentation(page, name), priority: 'default' }
}
