import type { MetricsSource, MetricsSources } from '@poolguard/core'
import type { SourceView } from '@poolguard/page'

/** The latest reports of servers and poolers. It queries them only while the page is open. */
export class SourceReports {
  readonly #sources: MetricsSources
  readonly #hasActions: boolean
  readonly #latest = new Map<MetricsSource, SourceView['report']>()

  constructor(sources: MetricsSources, hasActions: boolean) {
    this.#hasActions = hasActions
    this.#sources = sources.filter(({ report }) => report !== undefined)
  }

  /** What is known now, and asks for what comes next: the page does not wait for a server that does not answer. */
  read(): SourceView[] {
    for (const source of this.#sources) {
      void source.report?.().then((report) => this.#latest.set(source, report ?? 'unreachable'))
    }
    return this.#sources.map((source) => ({
      name: source.source,
      isApp: false,
      isControlled: this.#hasActions && source.terminate !== undefined,
      report: this.#latest.get(source) ?? 'pending',
      problem: null,
    }))
  }
}
