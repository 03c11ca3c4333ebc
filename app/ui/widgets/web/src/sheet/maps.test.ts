import { expect, test } from 'vitest';
import { lookup, written } from './colours.js';
import { Grid, Maps, type Head } from './maps.js';

const head: Head = {
  parts: ['image'],
  count: 3,
  height: 2,
  width: 2,
  order: [2, 0, 1],
  selected: null,
  image: { channels: 1, side: 4 },
  field: { start: -1, jump: 2, side: 3 },
  scale: [
    [0, '#000000'],
    [1, '#ff8000'],
  ],
  signed: false,
  shared: false,
  at: 'stem.conv',
  caption: 'image',
  told: '',
};

function sent(more: Partial<Head>, values: number[]): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify({ ...head, ...more }));
  const maps = new Uint8Array(new Float32Array(values).buffer);
  return new Uint8Array([text.length & 255, text.length >> 8, 0, 0, ...text, ...maps, ...Array<number>(16).fill(7)]);
}

const values = [0, 1, 2, 4, 0, 0, 0, 0, 8, 4, 2, -8];

test('each map has its own colours, from zero to its largest value', () => {
  const maps = new Maps(sent({}, values));
  expect(maps.drawn(0, 0)).toEqual([
    [0, 0, 0],
    [64, 32, 0],
    [128, 64, 0],
    [255, 128, 0],
  ]);
  expect(maps.drawn(0, 1)[0]).toEqual([0, 0, 0]);
  expect(maps.value(0, { channel: 2, x: 1, y: 1 })).toBe(-8);
  expect([...maps.pixels]).toEqual(Array(16).fill(7));
});

test('or one scale with all, around zero where values may be negative', () => {
  const maps = new Maps(sent({ shared: true, signed: true }, values));
  expect(maps.drawn(0, 2)).toEqual([
    [255, 128, 0],
    [191, 96, 0],
    [159, 80, 0],
    [0, 0, 0],
  ]);
});

test('a place of a map sees a window of the image, cut at its edges', () => {
  const maps = new Maps(sent({}, values));
  expect(maps.window({ channel: 0, x: 0, y: 1 })).toEqual({ rows: [1, 4], columns: [0, 2] });
});

test('maps stand in rows, a pixel apart, enlarged by a whole factor', () => {
  const grid = new Grid(head, 52);
  expect([grid.columns, grid.wide, grid.high, grid.times]).toEqual([2, 5, 5, 10]);
  expect(grid.corner(2)).toEqual([0, 3]);
  expect(grid.under(0, 0)).toEqual({ channel: 2, x: 0, y: 0 });
  expect(grid.under(45, 12)).toEqual({ channel: 0, x: 1, y: 1 });
  expect(grid.under(25, 0)).toBe(null); // between two
  expect(grid.under(35, 35)).toBe(null); // where a fourth would be
  expect(grid.under(-1, 0)).toBe(null);
});

test('colours between the anchors of a scale, numbers in three digits', () => {
  expect(lookup(head.scale)[51]).toEqual([51, 26, 0]);
  expect([0, 0.5, 123.456, 0.001, -20000].map(written)).toEqual(['0', '0.500', '123', '1.0e-3', '-2.0e+4']);
});
