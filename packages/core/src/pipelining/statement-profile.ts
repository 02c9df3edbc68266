import { ServiceTime } from './service-time.ts'

/** The facts about one text that decide whether it may share a connection. */
export class StatementProfile {
  readonly text: string
  readonly service: ServiceTime = new ServiceTime()

  constructor(text: string) {
    this.text = text
  }

  /** Whether other statements may be sent behind it. Statements that are unknown or slow run alone. */
  isFast(shareWithinMillis: number): boolean {
    return this.service.isKnown && this.service.upper < shareWithinMillis
  }
}
