import { expect, test } from 'vitest';
import { Geometry } from './geometry.js';
import { agreeing, allPaths, below, further, gone, heads, lengthOf, passing, power, shares, words } from './paths.js';

const net = { labels: ['F₁', 'F₂'], blocks: 2, plain: false, off: new Set<number>() };

test('the first block decides the highest bit', () => {
  expect(allPaths(2, false)).toEqual([0b00, 0b01, 0b10, 0b11]);
  expect(allPaths(3, true)).toEqual([0b111]);
  expect(passing([0, 1, 2, 3], 0, 2)).toEqual([0b10, 0b11]);
  expect(passing([0, 1, 2, 3], 1, 2)).toEqual([0b01, 0b11]);
  expect([0, 1, 2, 3].map(lengthOf)).toEqual([0, 1, 1, 2]);
});

test('paths that agree from a block on', () => {
  expect(agreeing(allPaths(3, false), 0b011, 1, 3)).toEqual([0b011, 0b111]);
});

test('lit paths go on through the blocks that are not drawn', () => {
  expect(heads(3)).toEqual([0.125, 0.375, 0.375, 0.125]);
  expect(shares(net, [0, 1, 2, 3], null)).toEqual([25, 50, 25]);
  expect(shares(net, [0b10], null)).toEqual([0, 25, 0]);
  const deep = { ...net, blocks: 4 };
  expect(shares(deep, [0, 1, 2, 3], null)).toEqual([6.25, 25, 37.5, 25, 6.25]);
  expect(shares(deep, [0, 1, 2, 3], 2)).toEqual([0, 0, 37.5, 0, 0]);
});

test('a block that is off ends the paths that pass it, drawn or not', () => {
  const deep = { ...net, blocks: 4, off: new Set([0, 3]) };
  expect(gone(deep)).toBe(0b10);
  expect(further(deep)).toBe(1);
  expect(shares(deep, [0b00, 0b01], null)).toEqual([6.25, 12.5, 6.25, 0, 0]);
});

test('a plain net has one path, or none', () => {
  const plain = { ...net, plain: true, blocks: 3 };
  expect(shares(plain, [0b11], null)).toEqual([0, 0, 0, 100]);
  expect(shares({ ...plain, off: new Set([0]) }, [0b11], null)).toEqual([0, 0, 0, 0]);
});

test('paths in words', () => {
  expect(words([], net.labels)).toBe('No path is left here.');
  expect(words([0], net.labels)).toBe('One path: through no branch, past the other 2');
  expect(words([0b10], net.labels)).toBe('One path: through F₁, past the other block');
  expect(words([0b11], net.labels)).toBe('One path: through F₁, F₂');
  expect(words([0, 1, 2], net.labels)).toBe('3 paths');
  expect([power(12), below(30)]).toEqual(['2¹²', '₃₀']);
});

test('a wide tree has two thirds, a narrow one all', () => {
  const wide = new Geometry(3, false, 1000);
  expect([wide.narrow, wide.width, wide.height, wide.bars]).toEqual([false, 660, 400, { width: 310, height: 334 }]);
  expect([wide.x(0), wide.x(3)]).toEqual([30, 568]);
  expect([wide.y(0, 0), wide.y(1, 0), wide.y(1, 1), wide.y(3, 7)]).toEqual([190, 122, 258, 309]);
  const narrow = new Geometry(3, false, 400);
  expect([narrow.narrow, narrow.width, narrow.bars]).toEqual([true, 400, { width: 400, height: 210 }]);
  expect(new Geometry(3, true, 1000).y(2, 0)).toBe(129);
});
