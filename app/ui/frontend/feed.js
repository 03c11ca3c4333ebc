// The feed: what moves on a live page comes in one answer a second, for all the components that listen to it.
// Each asks for its part by name; a part is sent only when it has changed. One module for all of them: they import it.

const PERIOD = 1000, FIRST = 20, SOONEST = 200; // milliseconds: between answers, to gather those who ask, to breathe
const LATEST = 15000, PATIENCE = 5000; // between tries that fail; for the page to be drawn anew

// What `app.ui.widgets.feed` frames: [length of the head, 4 bytes][head, JSON][body].
export function unframed(bytes) {
  const end = 4 + new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  return { head: JSON.parse(new TextDecoder().decode(bytes.subarray(4, end))), body: bytes.subarray(end) };
}

// And what it packs: gzipped JSON.
export const unpacked = (bytes) => new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).json();

class Feed {
  constructor(query) {
    this.query = query;
    this.parts = new Map(); // name: { etag, value, ears }
    this.failed = 0;
    this.seen = () => document.hidden || this.soon(FIRST);
    document.addEventListener('visibilitychange', this.seen);
  }

  hear({ part, shape }, heard, changed) {
    if (!this.parts.has(part)) this.parts.set(part, { etag: '', value: null, ears: new Set() });
    const { value, ears } = this.parts.get(part), ear = { heard, changed };
    ears.add(ear);
    this.shape = shape;
    if (value) heard(value);
    else this.soon(FIRST);
    return () => {
      ears.delete(ear);
      if (!ears.size && this.parts.get(part)?.ears === ears) this.parts.delete(part);
      if (!this.parts.size) this.end();
    };
  }

  soon(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), wait);
  }

  async ask() {
    if (document.hidden || this.asking || this.ended) return;
    this.asking = true;
    const begun = performance.now();
    try {
      await this.answered();
      this.failed = 0;
    } catch (error) {
      console.warn('live values:', error);
      this.failed += 1;
    }
    this.asking = false;
    document.documentElement.classList.toggle('unfed', this.failed > 1); // assets/style.css says so beside the numbers
    if (this.ended) return;
    const unheard = [...this.parts.values()].some((part) => !part.etag) && !this.failed;
    const wait = unheard ? FIRST : this.failed ? Math.min(PERIOD * 2 ** this.failed, LATEST) : PERIOD * (0.95 + Math.random() / 10);
    this.soon(Math.max(wait - (performance.now() - begun), unheard ? FIRST : SOONEST));
  }

  async answered() {
    const asked = [...this.parts].map(([name, { etag }]) => `part=${encodeURIComponent(name)}&have=${etag}`);
    const answer = await fetch(new URL(`../live?${this.query}&${asked.join('&')}`, import.meta.url), { cache: 'no-store' });
    if (answer.status === 403 || answer.status === 404) this.redraw(`${answer.status} ${this.failed}`); // another server, or a run is gone
    if (!answer.ok) throw new Error(String(answer.status));
    const { head, body } = unframed(new Uint8Array(await answer.arrayBuffer()));
    let at = 0;
    for (const [name, etag, size] of head.parts) {
      const value = size ? await unpacked(body.subarray(at, at + size)) : null;
      at += size;
      const part = this.parts.get(name);
      if (!value || !part) continue;
      Object.assign(part, { etag, value });
      for (const { heard } of part.ears) heard(value);
    }
    if (head.shape !== this.shape) this.redraw(head.shape);
  }

  // Once for each new shape, or again when nothing came of it: one component asks for all of the page.
  redraw(shape) {
    const now = performance.now(), [ear] = [...this.parts.values()].flatMap(({ ears }) => [...ears]);
    if (!ear || (shape === this.wanted && now - this.since < PATIENCE)) return;
    Object.assign(this, { wanted: shape, since: now });
    ear.changed(shape);
  }

  end() {
    this.ended = true;
    document.documentElement.classList.remove('unfed');
    clearTimeout(this.timer);
    document.removeEventListener('visibilitychange', this.seen);
    if (feeds.get(this.query) === this) feeds.delete(this.query);
  }
}

const feeds = new Map();

// Has a component hear a part: `heard` is called with its newest value, now and whenever it changes, and `changed` when
// the page has to be drawn anew. `feed` is what `app.ui.widgets.feed.Feed` tells; null: nothing is heard any more.
export function follow(component, feed, heard, changed) {
  const followed = JSON.stringify(feed), before = component.unfollow;
  if (followed === component.followed) return;
  component.followed = followed;
  if (feed && !feeds.has(feed.query)) feeds.set(feed.query, new Feed(feed.query));
  component.unfollow = feed ? feeds.get(feed.query).hear(feed, heard, changed) : null;
  before?.(); // after the new one, so that a feed that goes on is not ended and begun
}
