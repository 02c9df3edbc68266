import { poolguard } from '../poolguard.server.ts'
import type { Route } from './+types/poolguard.ts'

export const loader = ({ request }: Route.LoaderArgs) => poolguard.handler(request)
