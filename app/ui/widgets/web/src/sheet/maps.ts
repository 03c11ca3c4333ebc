// What the server sends of a layer's feature maps, and where each stands on its sheet.

import { must, unframed } from '../shared/index.js';
import { lookup, type Rgb } from './colours.js';

export const GAP = 1; // pixels between maps

export interface Head {
  /** The name of each sheet: an image, or one net of two. */
  parts: string[];
  /** Channels, and the size of each map. */
  count: number;
  height: number;
  width: number;
  /** The channels as they are shown. */
  order: number[];
  selected: number | null;
  image: { channels: number; side: number };
  /** The window of the image that one place of a map sees: that of place 0 begins at `start`. */
  field: { start: number; jump: number; side: number };
  scale: [place: number, colour: string][];
  /** Values may be negative. */
  signed: boolean;
  /** One scale of colours for all maps. */
  shared: boolean;
  at: string;
  caption: string;
  told: string;
}

export interface Place {
  channel: number;
  x: number;
  y: number;
}

/** [length of the head, 4 bytes][head, JSON][maps, float32, P×C×H×W][image, bytes, channels×side×side]. */
export class Maps {
  readonly head: Head;
  readonly pixels: Uint8Array;
  readonly colours: Rgb[];
  private readonly maps: Float32Array;
  private readonly known = new Map<number, number>();

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    const { head, body } = unframed<Head>(bytes);
    const { parts, count, height, width, image } = head;
    const numbers = 4 * parts.length * count * height * width;
    this.head = head;
    this.maps = new Float32Array(body.slice(0, numbers).buffer); // a copy, because of its alignment
    this.pixels = body.slice(numbers, numbers + image.channels * image.side ** 2);
    this.colours = lookup(head.scale);
  }

  value(part: number, { channel, x, y }: Place): number {
    const { width } = this.head;
    return this.maps[this.begin(part, channel) + y * width + x] ?? 0;
  }

  /** The colour of each pixel of a map, row by row. */
  drawn(part: number, channel: number): Rgb[] {
    const { height, width, signed } = this.head;
    const begin = this.begin(part, channel);
    const top = this.top(begin);
    const low = signed ? -top : 0;
    return Array.from(this.maps.subarray(begin, begin + height * width), (value) => {
      const share = top > low ? (value - low) / (top - low) : signed ? 0.5 : 0;
      return must(this.colours[Math.max(0, Math.min(255, Math.round(255 * share)))]);
    });
  }

  private begin(part: number, channel: number): number {
    const { count, height, width } = this.head;
    return (part * count + channel) * height * width;
  }

  /** The end of the colour scale of the map that begins there: its own, or that of all. */
  private top(begin: number): number {
    const { height, width, shared, signed } = this.head;
    const key = shared ? 0 : begin;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    let top = 0;
    for (const v of shared ? this.maps : this.maps.subarray(begin, begin + height * width)) {
      top = Math.max(top, signed ? Math.abs(v) : v);
    }
    this.known.set(key, top);
    return top;
  }

  /** The part of the image that a place sees: [first, one past the last] row, and column. */
  window({ x, y }: Place): { rows: [number, number]; columns: [number, number] } {
    const { field, image } = this.head;
    const along = (place: number): [number, number] => {
      const begin = field.start + place * field.jump;
      return [Math.max(begin, 0), Math.min(begin + field.side, image.side)];
    };
    return { rows: along(y), columns: along(x) };
  }
}

/** Maps in rows, about as wide as high, and how much they are enlarged: by a whole factor where there is room. */
export class Grid {
  readonly columns: number;
  readonly wide: number;
  readonly high: number;
  readonly times: number;

  constructor(
    private readonly head: Pick<Head, 'count' | 'height' | 'width' | 'order'>,
    room: number,
  ) {
    const { count, height, width } = head;
    this.columns = Math.min(count, Math.max(1, Math.ceil(Math.sqrt((count * (height + GAP)) / (width + GAP)))));
    this.wide = this.columns * (width + GAP) - GAP;
    this.high = Math.ceil(count / this.columns) * (height + GAP) - GAP;
    const raw = Math.min(room / this.wide, 520 / this.high);
    this.times = raw >= 1 ? Math.min(Math.floor(raw), 16) : raw;
  }

  /** The upper left corner of the map at a place of the order. */
  corner(place: number): [left: number, top: number] {
    const { height, width } = this.head;
    return [(place % this.columns) * (width + GAP), Math.floor(place / this.columns) * (height + GAP)];
  }

  /** What is under a point of the sheet, in enlarged pixels: null for a gap. */
  under(left: number, top: number): Place | null {
    const { height, width, order } = this.head;
    const [x, y] = [Math.floor(left / this.times), Math.floor(top / this.times)];
    const [column, row] = [Math.floor(x / (width + GAP)), Math.floor(y / (height + GAP))];
    if (x < 0 || y < 0 || column >= this.columns) return null;
    const channel = order[row * this.columns + column];
    const at = { x: x - column * (width + GAP), y: y - row * (height + GAP) };
    return channel === undefined || at.x >= width || at.y >= height ? null : { channel, ...at };
  }
}
