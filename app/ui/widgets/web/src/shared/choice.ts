const PATIENCE = 4000; // milliseconds

/** What was just chosen in a component outranks what the server still says: until it says the same, or too late. */
export class Choice<T> {
  private last: { value: T; until: number } | null = null;

  made(value: T): void {
    this.last = { value, until: Date.now() + PATIENCE };
  }

  get waits(): boolean {
    return this.last !== null;
  }

  /** What counts now that the server says `said`. */
  or(said: T): T {
    const { last } = this;
    if (!last) return said;
    const settled = Date.now() > last.until || JSON.stringify(last.value) === JSON.stringify(said);
    if (settled) this.last = null;
    return settled ? said : last.value;
  }
}
