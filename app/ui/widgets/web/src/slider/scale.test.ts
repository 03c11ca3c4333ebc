import { expect, test } from 'vitest';
import { pressed, ruler, scale, snapped, type Training } from './scale.js';

const training: Training = { moments: [0, 100, 400], newest: 400, total: 1000, epoch: 200, snap: true, live: false };
const places = scale(training.moments, 1000, 500);

test('a track is linear where its moments are far apart', () => {
  expect([0, 100, 400, 700, 1000].map(places.x)).toEqual([0, 50, 200, 350, 500]);
  expect([0, 25, 50, 275, 500].map(places.step)).toEqual([0, 50, 100, 550, 1000]);
});

test('moments that are close are pushed 13 pixels apart, and the last stays within the track', () => {
  const close = scale([1, 2, 3], 1000, 500);
  expect([0, 1, 2, 3, 1000].map(close.x)).toEqual([0, 13, 26, 39, 500]);
  const late = scale([998, 999], 1000, 500);
  expect([998, 999, 1000].map(late.x)).toEqual([474, 487, 500]);
});

test('a hand lets go at the nearest moment, or where it is within what was trained', () => {
  expect([0, 49, 51, 249, 251, 900].map((step) => snapped(step, training, places))).toEqual([0, 0, 100, 100, 400, 400]);
  const free = { ...training, snap: false };
  expect([-5, 49, 900].map((step) => snapped(step, free, places))).toEqual([0, 49, 400]);
});

test('keys go from moment to moment where the slider snaps', () => {
  const from = (key: string, at: number, shift = false) => pressed(key, shift, at, training, places);
  expect(from('ArrowRight', 0)).toBe(100);
  expect(from('ArrowRight', 0, true)).toBe(100);
  expect(from('ArrowUp', 400)).toBe(400);
  expect(from('ArrowLeft', 400)).toBe(100);
  expect(from('Home', 400)).toBe(0);
  expect(from('End', 0)).toBe(400);
  expect(pressed('End', false, 0, { ...training, live: true }, places)).toBe(null);
  expect(from('a', 0)).toBe(undefined);
});

test('and by steps, ten with Shift, and epochs where it does not', () => {
  const from = (key: string, at: number, shift = false) =>
    pressed(key, shift, at, { ...training, snap: false }, places);
  expect(from('ArrowRight', 10)).toBe(11);
  expect(from('ArrowRight', 395, true)).toBe(400);
  expect(from('ArrowLeft', 10, true)).toBe(0);
  expect(from('PageUp', 150)).toBe(200);
  expect(from('PageUp', 200)).toBe(400);
  expect(from('PageDown', 350)).toBe(200);
  expect(from('PageDown', 200)).toBe(0);
  expect(from('End', 10)).toBe(null);
});

test('epochs are ticks, and numbers stand where there is room for them', () => {
  expect(ruler(training, 500, places)).toEqual({
    ticks: [200, 400, 600, 800, 1000],
    numbers: [0, 100, 200, 400, 600, 800, 1000],
  });
  const narrow = scale([], 1000, 45);
  expect(ruler({ ...training, moments: [], epoch: 100 }, 45, narrow)).toEqual({
    ticks: [200, 400, 600, 800, 1000],
    numbers: [0, 1000],
  });
});
