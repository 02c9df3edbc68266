import type { Fault } from './fault.ts'
import type { Summary } from './summary.ts'

/** The texts of the page in one language. The words in the cells are those that the command prints. */
export interface PageTexts {
  readonly introduction: string
  readonly totals: string
  readonly allFaults: string
  readonly errorsWithoutCode: string
  readonly fault: string
  readonly stack: string
  readonly none: string
  readonly columns: Readonly<Record<keyof Summary, string>>
  titleOf(fault: Fault): string
}

export const ENGLISH: PageTexts = {
  introduction: `# What happens when it goes wrong

Each fault was caused on real servers while an app wrote and read through its stack: eight callers on at most four connections. Afterwards the rows
in the table were compared with the writes whose commit the app had seen.

| Word | What it means |
| --- | --- |
| ok | the process lives, every caller got an answer, nothing is lost, and every error has a code |
| crash | the process ended |
| lost n | n writes were reported as committed and are not in the table |
| torn n | n transactions left one of their two rows, or a write was done twice |
| hang | a caller, or the end of the pool, got no answer within 15 s after the fault |
| dead | no write succeeded within 15 s after the fault |
| leak n | n connections that no caller keeps cannot be borrowed any more, or n connections stay on the server after the pool has ended |
| unclear | an error has no code, neither its own nor one of a cause: a program can only compare its text |
| – | the stack's API does not allow the fault |

The worst word is shown. \`pnpm faults\` repeats it all, \`pnpm faults --fault half-open --stack pg.Pool\` one cell; the sources are in
[test/fault-table](https://github.com/poolguard/poolguard/tree/main/test/fault-table). "pg.Pool, advised" has what guides recommend: timeouts, keepalive, a lifetime and an error listener; the other
stacks have their defaults, and so no listener. The median of the recovery is that of the faults from which the stack recovered. PgBouncer has \`server_login_retry = 3\`.
`,
  totals: 'Totals',
  allFaults: 'All faults',
  errorsWithoutCode: 'Errors without a code',
  fault: 'Fault',
  stack: 'Stack',
  none: 'none',
  columns: {
    crashes: 'crashes',
    hangs: 'hangs',
    lost_commits: 'lost commits',
    torn_writes: 'torn writes',
    leaked_connections: 'leaked connections',
    unclear_errors: 'unclear errors',
    not_recovered: 'not recovered',
    median_recovery_millis: 'median recovery (ms)',
  },
  titleOf: ({ title, imitated }) => (imitated ? `${title} (imitated: ${imitated})` : title),
}

export const CHINESE: PageTexts = {
  introduction: `# 出故障时会发生什么

每种故障都在真实的服务器上制造，同时应用通过各自的技术栈读写：八个调用方，最多四个连接。结束后，把表中的行与应用收到过提交确认的写入逐一核对。

| 结果 | 含义 |
| --- | --- |
| ok | 进程存活，每个调用方都得到答复，没有丢失数据，每个错误都有错误码 |
| crash | 进程退出 |
| lost n | n 次写入已确认提交，却不在表中 |
| torn n | n 个事务只留下两行中的一行，或者同一次写入执行了两次 |
| hang | 故障结束 15 秒后，仍有调用方或关闭连接池的操作没有得到答复 |
| dead | 故障结束后 15 秒内没有一次写入成功 |
| leak n | n 个没有被调用方占用的连接再也借不出来，或者连接池关闭后仍有 n 个连接留在服务器上 |
| unclear | 某个错误自身及其原因都没有错误码：程序只能比较文本 |
| – | 该技术栈的 API 无法制造这种故障 |

单元格显示其中最严重的结果。\`pnpm faults\` 可以重复全部测试，\`pnpm faults --fault half-open --stack pg.Pool\` 只重复一格；源码在
[test/fault-table](https://github.com/poolguard/poolguard/tree/main/test/fault-table)。“pg.Pool, advised” 采用各种指南的建议：超时、keepalive、连接寿命和错误监听器；其他
技术栈都用默认值，因此没有监听器。恢复时间的中位数只计算该技术栈恢复了的故障。PgBouncer 设置了 \`server_login_retry = 3\`。
`,
  totals: '合计',
  allFaults: '全部故障',
  errorsWithoutCode: '没有错误码的错误',
  fault: '故障',
  stack: '技术栈',
  none: '无',
  columns: {
    crashes: '崩溃',
    hangs: '挂起',
    lost_commits: '丢失的提交',
    torn_writes: '残缺的写入',
    leaked_connections: '泄漏的连接',
    unclear_errors: '没有错误码的错误',
    not_recovered: '未恢复',
    median_recovery_millis: '恢复时间中位数（毫秒）',
  },
  titleOf: ({ id }) => chineseTitle(id),
}

/** Including what is imitated. */
const CHINESE_TITLES: Readonly<Record<string, string>> = {
  reset: '负载下所有连接被重置',
  'cut-50': '每个连接在 50 字节后被切断，持续一秒',
  'cut-1000': '每个连接在 1,000 字节后被切断，持续一秒',
  refused: '新连接被拒绝两秒，其他连接被重置',
  blackhole: '三秒内没有任何数据到达，之后已打开的连接被重置',
  'half-open': '防火墙忘记了空闲连接：发出的数据消失，新连接正常',
  'half-open-under-load': '防火墙忘记了负载中的连接',
  latency: '每次往返多 400 毫秒，持续三秒',
  'slow-connect': '建立连接要几秒，已打开的连接被重置',
  'pooler-restarted': 'PgBouncer 重启',
  'pooler-killed': 'PgBouncer 被杀死，两秒后重新启动',
  'pooler-paused': 'PgBouncer 暂停两秒',
  'pooler-reloaded': '负载下 PgBouncer 重新加载配置',
  'pooler-kill-database': 'PgBouncer 对数据库执行 KILL，然后 RESUME',
  'pooler-disabled': 'PgBouncer 禁用数据库两秒',
  'pooler-queue-timeout': 'PgBouncer 的服务器连接全部被占用：query_wait_timeout',
  'pooler-clients-full': 'PgBouncer 两秒内没有空余的客户端连接',
  'pooler-server-killed': 'PgBouncer 的服务器连接被终止',
  'pooler-server-down': 'PgBouncer 后面的服务器停机两秒',
  'event-loop-stall': '应用的事件循环阻塞三秒',
  frozen: '进程冻结三秒后继续',
  'frozen-meanwhile-restart': '进程冻结期间服务器重启',
  'clock-forward': '系统时钟向前跳一小时',
  'clock-back': '系统时钟向后跳一小时',
  sigterm: '负载下进程收到 SIGTERM，应用关闭连接池',
  leak: '一个调用方永远不归还连接',
  'double-release': '一个调用方把同一个连接归还两次',
  'dirty-release': '一个调用方归还带有未结束事务的连接，同时会话被终止',
  'pool-deadlock': '所有连接都被还要再借一个连接的调用方占用',
  'huge-result': '300,000 行的结果',
  'invalid-utf8': '语句含有数据库无法存储的字符',
  'idle-killed': '空闲会话被终止',
  'all-killed': '负载下所有会话被终止',
  'transactions-killed': '有未结束事务的会话被终止',
  'killed-while-connecting': '会话一出现就被终止',
  'all-cancelled': '所有语句被取消',
  'statement-timeout': '语句触发 statement_timeout',
  'lock-timeout': '语句触发 lock_timeout',
  'idle-in-transaction-timeout': '事务触发 idle_in_transaction_session_timeout',
  'idle-session-timeout': '空闲会话触发 idle_session_timeout',
  'lock-storm': '表锁让所有写入停止两秒',
  'ddl-under-load': '负载下添加和删除列',
  'restart-fast': '服务器重启（fast）',
  'restart-immediate': '服务器像崩溃一样停止，然后重新启动',
  'server-killed': '服务器被杀死，然后重新启动',
  'crash-recovery': '一个服务器进程被杀死（如内存不足时）：所有会话结束，服务器恢复',
  'server-down': '服务器停机三秒',
  'failover-killed': '故障切换：主库被杀死，它的地址改为指向提升后的备库',
  'failover-silent': '故障切换：主库无声消失，它的地址改为指向提升后的备库',
  'server-full': '服务器的连接全部被占用三秒',
  'role-full': '角色达到连接数上限两秒',
  'database-full': '数据库达到连接数上限两秒',
  'connection-storm': '另外六十个客户端反复连接和断开两秒',
  'read-only': '服务器变为只读两秒',
  'disk-full': '磁盘写满一秒（模拟：触发器抛出 53100）',
  'password-changed': '密码被修改两秒，会话结束',
  'login-forbidden': '角色两秒内不允许登录，会话结束',
}

/** @throws if a fault has no Chinese title. */
function chineseTitle(id: string): string {
  const title = CHINESE_TITLES[id]
  if (title === undefined) throw new Error(`The fault ${id} has no Chinese title.`)
  return title
}
