/** A listener that throws does not stop the pool: its error is uncaught, as from pg-pool. */
export function callApp(call: () => void): void {
  try {
    call()
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}
