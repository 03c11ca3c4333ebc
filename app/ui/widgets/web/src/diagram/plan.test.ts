import { expect, test } from 'vitest';
import { height, parts, placed, read, type Banded, type Box, type Column, type Kind } from './plan.js';

const box: Box = {
  layer: 'stem.conv',
  text: '3×3 conv, 16',
  short: '3×3, 16',
  shape: '32×32, 16 channels',
  params: 1432,
  macs: 1_440_000,
};
const kind: Kind = {
  stage: 0,
  band: 32,
  boxes: [box, box],
  shortcut: 'identity',
  arc: 'solid',
  enters: 0,
  mark: '',
  beside: [],
};
const net = (count: number): Column => ({
  name: 'ResNet',
  colour: '#123456',
  totals: ['20 layers', '41 million multiply-adds', '270 thousand parameters'],
  kinds: [kind, { ...kind, stage: 2, band: 8, boxes: [box] }],
  blocks: [...Array<number>(count).fill(0), 1],
  before: [{ ...box, band: 32 }],
  after: [{ ...box, layer: '', band: 1 }],
});
const told = (part: Banded): string | number => {
  if (part.what === 'block') return part.index;
  return part.what === 'fold' ? `×${part.count}` : part.what;
};

test('a stage of ten blocks is shown, and of more its first three and its last', () => {
  expect(parts(net(10), new Set(), null).map(told)).toEqual(['box', 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 'box']);
  expect(parts(net(11), new Set(), null).map(told)).toEqual(['box', 0, 1, 2, '×7', 10, 11, 'box']);
});

test('a chosen block is never in a fold, and an open stage can be folded again', () => {
  expect(parts(net(11), new Set(), 5).map(told)).toEqual(['box', 0, 1, 2, '×2', 5, '×4', 10, 11, 'box']);
  expect(
    parts(net(11), new Set([0]), null)
      .map(told)
      .slice(10),
  ).toEqual([9, 10, 'close', 11, 'box']);
});

test('heights of a box, a block and a fold', () => {
  expect(height({ what: 'box', box })).toBe(25);
  expect(height({ what: 'block', index: 0, kind })).toBe(59);
  expect(height({ what: 'fold', stage: 0, count: 3 })).toBe(34);
});

test('bands of one resolution go through all columns, as high as the highest needs', () => {
  const columns = [net(1), net(2)].map((column) => parts(column, new Set(), null));
  const { bands, height: tall, columns: stand } = placed(columns);
  expect(bands).toEqual([
    { side: 32, top: 0, height: 216 },
    { side: 8, top: 216, height: 60 },
    { side: 1, top: 276, height: 60 },
  ]);
  expect(tall).toBe(336);
  expect(stand[0]?.map((part) => part.top)).toEqual([16, 60, 232, 292]);
  expect(stand[1]?.map((part) => part.top)).toEqual([16, 60, 138, 232, 292]);
});

test('a box in words', () => {
  expect(read(box)).toEqual([
    'stem.conv',
    '3×3 conv, 16',
    '32×32, 16 channels',
    '1,432 parameters',
    '1,440,000 multiply-adds',
  ]);
});
