// The feed: what moves on a live page comes in one answer a second, for all the components that listen to it.
// Each asks for its part by name; a part is sent only when it has changed.

import { unframed, unpacked } from './frame.js';

const PERIOD = 1000; // milliseconds between answers,
const FIRST = 20; // to gather those who ask,
const SOONEST = 200; // to breathe,
const LATEST = 15_000; // between tries that fail,
const PATIENCE = 5000; // and for the page to be drawn anew

/** What `app.ui.widgets.feed.Feed` tells. */
export interface Told {
  query: string;
  shape: string;
  part: string;
}

interface Ear {
  heard: (value: unknown) => void;
  changed: (shape: string) => void;
}

interface Part {
  etag: string;
  value: unknown;
  ears: Set<Ear>;
}

interface Answer {
  shape: string;
  parts: [name: string, etag: string, size: number][];
}

const feeds = new Map<string, Feed>();

class Feed {
  private readonly parts = new Map<string, Part>();
  private readonly seen = (): void => {
    if (!document.hidden) this.soon(FIRST);
  };
  private shape = '';
  private failed = 0;
  private asking = false;
  private ended = false;
  private wanted: string | null = null;
  private since = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly query: string) {
    document.addEventListener('visibilitychange', this.seen);
  }

  hear({ part, shape }: Told, ear: Ear): () => void {
    const own = this.parts.get(part) ?? { etag: '', value: null, ears: new Set() };
    this.parts.set(part, own);
    own.ears.add(ear);
    this.shape = shape;
    if (own.value) ear.heard(own.value);
    else this.soon(FIRST);
    return () => {
      own.ears.delete(ear);
      if (!own.ears.size && this.parts.get(part) === own) this.parts.delete(part);
      if (!this.parts.size) this.end();
    };
  }

  private soon(wait: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(), wait);
  }

  private async ask(): Promise<void> {
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
    if (!this.isOver()) this.soon(this.pause(performance.now() - begun));
  }

  private isOver(): boolean {
    return this.ended; // all may have stopped listening while an answer was on its way
  }

  private pause(taken: number): number {
    if (this.failed) return Math.max(Math.min(PERIOD * 2 ** this.failed, LATEST) - taken, SOONEST);
    if ([...this.parts.values()].some((part) => !part.etag)) return FIRST;
    return Math.max(PERIOD * (0.95 + Math.random() / 10) - taken, SOONEST);
  }

  private async answered(): Promise<void> {
    const asked = [...this.parts].map(([name, { etag }]) => `part=${encodeURIComponent(name)}&have=${etag}`);
    const address = `../live?${this.query}&${asked.join('&')}`;
    const answer = await fetch(new URL(address, import.meta.url), { cache: 'no-store' });
    // Another server, or a run is gone.
    if (answer.status === 403 || answer.status === 404) this.redraw(`${answer.status} ${this.failed}`);
    if (!answer.ok) throw new Error(String(answer.status));
    const { head, body } = unframed<Answer>(new Uint8Array(await answer.arrayBuffer()));
    let at = 0;
    for (const [name, etag, size] of head.parts) {
      const value = size ? await unpacked<unknown>(body.subarray(at, at + size)) : null;
      at += size;
      const part = this.parts.get(name);
      if (!value || !part) continue;
      Object.assign(part, { etag, value });
      for (const { heard } of part.ears) heard(value);
    }
    if (head.shape !== this.shape) this.redraw(head.shape);
  }

  /** Once for each new shape, or again when nothing came of it: one component asks for all of the page. */
  private redraw(shape: string): void {
    const now = performance.now();
    const [ear] = [...this.parts.values()].flatMap(({ ears }) => [...ears]);
    if (!ear || (shape === this.wanted && now - this.since < PATIENCE)) return;
    this.wanted = shape;
    this.since = now;
    ear.changed(shape);
  }

  private end(): void {
    this.ended = true;
    document.documentElement.classList.remove('unfed');
    clearTimeout(this.timer);
    document.removeEventListener('visibilitychange', this.seen);
    if (feeds.get(this.query) === this) feeds.delete(this.query);
  }
}

/** The hearing of one component: of one part at a time, or of none. */
export class Following {
  private followed = '';
  private stop: (() => void) | null = null;

  /**
   * `heard` is called with the part's newest value, now and whenever it changes, and `changed` when the page has to be
   * drawn anew. Without `feed` nothing is heard any more.
   */
  follow<T>(feed: Told | null | undefined, heard: (value: T) => void, changed: (shape: string) => void): void {
    const followed = feed ? JSON.stringify(feed) : '';
    if (followed === this.followed) return;
    this.followed = followed;
    const before = this.stop;
    this.stop = feed ? feedOf(feed.query).hear(feed, { heard: heard as Ear['heard'], changed }) : null;
    before?.(); // after the new one, so that a feed that goes on is not ended and begun
  }

  end(): void {
    this.followed = '';
    this.stop?.();
    this.stop = null;
  }
}

function feedOf(query: string): Feed {
  const feed = feeds.get(query) ?? new Feed(query);
  feeds.set(query, feed);
  return feed;
}
