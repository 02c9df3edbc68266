import { poolguard } from '../../lib/poolguard.ts'

export const dynamic = 'force-dynamic'

export const GET = poolguard.handler
