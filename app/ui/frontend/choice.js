// What was just chosen in a component outranks what the server still says: until it says the same, or too late.

const PATIENCE = 4000; // milliseconds

class Choice {
  made(value) {
    this.last = { value, until: Date.now() + PATIENCE };
  }

  get waits() { return Boolean(this.last); }

  // What counts now that the server says `said`.
  or(said) {
    if (this.last && (Date.now() > this.last.until || JSON.stringify(this.last.value) === JSON.stringify(said))) this.last = null;
    return this.last ? this.last.value : said;
  }
}
