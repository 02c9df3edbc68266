import { PostgresSaver } from '@langchain/langgraph-checkpoint-postgres'
import { pool } from './db.js'

export const checkpointer = new PostgresSaver(pool)
