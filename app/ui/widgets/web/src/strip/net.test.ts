import { expect, test } from 'vitest';
import { blockWords, cells, isFold, layerWords, moved, standing, type Cell, type Kind, type Row } from './net.js';
import { roomFor, widthOf } from './room.js';

const kind = (stage: number, kin: string): Kind => ({
  stage,
  layers: [{ tail: 'branch.conv1', what: '3×3, 16 → 16', params: 2304 }],
  params: 2304,
  shape: '32×32, 16 channels',
  shortcut: 'identity',
  dotted: false,
  projected: false,
  kin,
  halves: false,
  without: 'its input passes as it is',
  whole: false,
});

// `blocks[i]` is the kind of block i; kinds 0 and 1 are of stage 0, kind 2 of stage 1.
const net = (blocks: number[]): Row => ({
  name: 'ResNet',
  colour: '#123456',
  kinds: [kind(0, 'a'), kind(0, 'b'), { ...kind(1, 'c'), whole: true, halves: true, without: 'it cannot be cut' }],
  blocks,
  stages: ['32×32, 16', '16×16, 32'],
  stem: { tail: 'stem.conv', what: '3×3, 3 → 16', params: 1432 },
  head: { tail: 'head.fc', what: 'linear, 64 → 10', params: 650 },
  pool: 'max pool',
});
const shown = (stages: Cell[][]) =>
  stages.map((stage) => stage.map((cell) => (isFold(cell) ? `×${cell.fold}` : cell.index)));

test('a block takes the place of another, and those between move up', () => {
  const row = net([0, 0, 0, 0, 2]);
  expect(moved(row, [0, 1, 2, 3, 4], 0, 2)).toEqual([1, 2, 0, 3, 4]);
  expect(moved(row, [0, 1, 2, 3, 4], 3, 0)).toEqual([3, 0, 1, 2, 4]);
});

test('those of other shapes stay where they are', () => {
  const row = net([0, 1, 0, 0]);
  expect(moved(row, [0, 1, 2, 3], 0, 3)).toEqual([2, 1, 3, 0]);
});

test('no block takes its own place, one of another shape or one that is not there', () => {
  const row = net([0, 1, 0, 2]);
  const order = [0, 1, 2, 3];
  expect([moved(row, order, 0, 0), moved(row, order, 0, 1), moved(row, order, 0, 9)]).toEqual([null, null, null]);
});

test('without an order, or with one of another net, blocks stand as they were built', () => {
  expect(standing(net([0, 0, 0]), [])).toEqual([0, 1, 2]);
  expect(standing(net([0, 0, 0]), [1, 0])).toEqual([0, 1, 2]);
  expect(standing(net([0, 0, 0]), [2, 0, 1])).toEqual([2, 0, 1]);
});

test('a net of 60 blocks is not folded', () => {
  const [first = []] = cells(net(Array<number>(60).fill(0)), new Set(), new Set());
  expect([first.length, first.some(isFold)]).toEqual([60, false]);
});

test('one of 61 is: each stage shows its first three and its last', () => {
  const row = net([...Array<number>(55).fill(0), ...Array<number>(6).fill(2)]);
  expect(shown(cells(row, new Set(), new Set()))).toEqual([
    [0, 1, 2, '×51', 54],
    [55, 56, 57, 58, 59, 60],
  ]);
  expect(shown(cells(row, new Set(), new Set([10, null])))[0]).toEqual([0, 1, 2, '×7', 10, '×43', 54]);
  expect(cells(row, new Set([0]), new Set())[0]).toHaveLength(55);
});

test('a strip in words', () => {
  const row = net([0, 2]);
  expect(blockWords(row, 0, 'select')).toEqual([
    'block 0',
    'stage 1',
    'branch.conv1: 3×3, 16 → 16',
    '32×32, 16 channels',
    '2,304 parameters',
    'shortcut: identity',
  ]);
  expect(blockWords(row, 0, 'cut').slice(6)).toEqual(['cut: its input passes as it is']);
  expect(blockWords(row, 1, 'cut').slice(6)).toEqual(['halves the resolution', 'it cannot be cut']);
  expect(layerWords(row, 'stem.conv')).toEqual(['stem.conv', '3×3, 3 → 16', '1,432 parameters', 'then max pool']);
  expect(layerWords(row, 'head.fc')).toEqual(['head.fc', 'linear, 64 → 10', '650 parameters']);
});

test('rows are one line where they are wide, and a line a stage where they are narrow', () => {
  const stages = cells(net([0, 0, 2, 2]), new Set(), new Set());
  const wide = roomFor(1000, 60, [stages]);
  expect(wide.lines.map((row) => row.map((line) => line.length))).toEqual([[4]]);
  expect(wide.room).toEqual({ left: 84, pitch: 96, wide: 998, narrow: false });
  const narrow = roomFor(400, 60, [stages]);
  expect(narrow.lines.map((row) => row.map((line) => line.length))).toEqual([[2, 2]]);
  expect(narrow.room).toEqual({ left: 2, pitch: 96, wide: 398, narrow: true });
  expect(widthOf([{ fold: 9, stage: 0 }, ...(stages[0] ?? [])], 20)).toBe(98);
});
