import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Choice } from './choice.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('what was chosen outranks the server for four seconds', () => {
  const choice = new Choice<number | null>();
  expect(choice.or(7)).toBe(7);
  choice.made(12);
  expect(choice.waits).toBe(true);
  vi.advanceTimersByTime(4000);
  expect(choice.or(7)).toBe(12);
  vi.advanceTimersByTime(1);
  expect(choice.or(7)).toBe(7);
  expect(choice.waits).toBe(false);
});

test('once the server says the same, it has the word again', () => {
  const choice = new Choice<number[]>();
  choice.made([1, 2]);
  expect(choice.or([])).toEqual([1, 2]);
  expect(choice.or([1, 2])).toEqual([1, 2]);
  expect(choice.or([])).toEqual([]);
});

test('null can be chosen', () => {
  const choice = new Choice<number | null>();
  choice.made(null);
  expect(choice.or(7)).toBe(null);
});
