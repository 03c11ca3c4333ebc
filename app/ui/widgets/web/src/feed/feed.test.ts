import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Following, type Told } from './feed.js';

type Sent = [name: string, etag: string, value: unknown];

const encoded = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

// Without gzip, which takes its own time: frame.test.ts has it.
vi.mock('./frame.js', async (original) => ({
  ...(await original<object>()),
  unpacked: (bytes: Uint8Array) => Promise.resolve(JSON.parse(new TextDecoder().decode(bytes)) as unknown),
}));

interface Answer {
  status: number;
  ok: boolean;
  arrayBuffer: () => Promise<ArrayBuffer>;
}

const refused = (status: number): Answer => ({ status, ok: false, arrayBuffer: () => Promise.reject(new Error()) });

function framed(shape: string, sent: Sent[]): Answer {
  const bodies = sent.map(([, , value]) => (value === null ? new Uint8Array() : encoded(value)));
  const head = encoded({ shape, parts: sent.map(([name, etag], i) => [name, etag, bodies[i]?.length]) });
  const bytes = new Uint8Array([head.length, 0, 0, 0, ...head, ...bodies.flatMap((body) => [...body])]);
  return { status: 200, ok: true, arrayBuffer: () => Promise.resolve(bytes.buffer) };
}

const asked: string[] = [];
let answer: () => Answer;
let following: Following[] = [];
let hidden = false;

const follow = (feed: Told, heard: (value: unknown) => void = () => undefined, changed = vi.fn()): Following => {
  const one = new Following();
  one.follow(feed, heard, changed);
  following.push(one);
  return one;
};
const told = (part: string, shape = 's1'): Told => ({ query: 'run=a&key=k', shape, part });

const pass = async (milliseconds: number): Promise<void> => {
  await vi.advanceTimersByTimeAsync(milliseconds);
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  vi.spyOn(console, 'warn').mockReturnValue();
  vi.spyOn(document, 'hidden', 'get').mockImplementation(() => hidden);
  asked.length = 0;
  vi.stubGlobal('fetch', (url: URL) => {
    asked.push(url.search);
    return Promise.resolve(answer());
  });
});

afterEach(() => {
  for (const one of following) one.end();
  following = [];
  hidden = false;
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test('those who ask within 20 ms are asked for at once, then every second with what they have', async () => {
  answer = () => framed('s1', [['loss', 'e1', { y: 1 }]]);
  const heard = vi.fn();
  follow(told('loss'), heard);
  await pass(19);
  expect(asked).toEqual([]);
  await pass(1);
  expect(asked).toEqual(['?run=a&key=k&part=loss&have=']);
  expect(heard.mock.calls).toEqual([[{ y: 1 }]]);
  answer = () => framed('s1', [['loss', 'e1', null]]);
  await pass(999);
  expect(asked).toHaveLength(1);
  await pass(1);
  expect(asked.at(-1)).toBe('?run=a&key=k&part=loss&have=e1');
  expect(heard).toHaveBeenCalledTimes(1);
});

test('who comes later is told what is known, and asks soon for what is not', async () => {
  answer = () => framed('s1', [['a', 'e1', 'A']]);
  follow(told('a'));
  await pass(20);
  const again = vi.fn();
  follow(told('a'), again);
  expect(again.mock.calls).toEqual([['A']]);
  follow(told('b'));
  await pass(20);
  expect(asked.at(-1)).toBe('?run=a&key=k&part=a&have=e1&part=b&have=');
});

test('tries that fail come after 2, 4, 8 and then 15 seconds, and the page says so from the second', async () => {
  answer = () => refused(503);
  follow(told('a'));
  await pass(20);
  const unfed = document.documentElement.classList;
  expect([asked.length, unfed.contains('unfed')]).toEqual([1, false]);
  for (const [wait, count] of [
    [2000, 2],
    [4000, 3],
    [8000, 4],
    [15_000, 5],
    [15_000, 6],
  ] as const) {
    await pass(wait - 1);
    expect(asked).toHaveLength(count - 1);
    await pass(1);
    expect([asked.length, unfed.contains('unfed')]).toEqual([count, true]);
  }
  answer = () => framed('s1', [['a', 'e1', 'A']]);
  await pass(15_000);
  expect(unfed.contains('unfed')).toBe(false);
});

test('another shape has one component ask for the page, and again after five seconds', async () => {
  answer = () => framed('s2', [['a', 'e1', 'A']]);
  const changed = vi.fn();
  follow(told('a'), undefined, changed);
  follow(told('a'), undefined, changed);
  await pass(20);
  expect(changed.mock.calls).toEqual([['s2']]);
  for (let i = 0; i < 4; i++) await pass(1000);
  expect(changed).toHaveBeenCalledTimes(1);
  await pass(1000);
  expect(changed).toHaveBeenCalledTimes(2);
});

test('a run that is gone has the page drawn anew', async () => {
  answer = () => refused(404);
  const changed = vi.fn();
  follow(told('a'), undefined, changed);
  await pass(20);
  expect(changed.mock.calls).toEqual([['404 0']]);
});

test('a key that is too old has the page drawn anew, which goes on with the one that it is given', async () => {
  answer = () => refused(403);
  const changed = vi.fn();
  const one = follow(told('a'), undefined, changed);
  await pass(20);
  expect(changed.mock.calls).toEqual([['403 0']]);
  answer = () => framed('s1', [['a', 'e1', 'A']]);
  const heard = vi.fn();
  one.follow({ ...told('a'), query: 'run=a&key=new' }, heard, changed);
  await pass(20);
  expect(asked.at(-1)).toBe('?run=a&key=new&part=a&have=');
  expect(heard.mock.calls).toEqual([['A']]);
  await pass(60_000);
  expect(changed).toHaveBeenCalledTimes(1);
});

test('a page that is not seen asks nothing, and at once when it is seen again', async () => {
  answer = () => framed('s1', [['a', 'e1', 'A']]);
  hidden = true;
  follow(told('a'));
  await pass(5000);
  expect(asked).toEqual([]);
  hidden = false;
  document.dispatchEvent(new Event('visibilitychange'));
  await pass(20);
  expect(asked).toHaveLength(1);
});

test('a feed that nobody hears ends', async () => {
  answer = () => framed('s1', [['a', 'e1', 'A']]);
  const one = follow(told('a'));
  await pass(20);
  one.follow(null, () => undefined, vi.fn());
  await pass(60_000);
  expect(asked).toHaveLength(1);
});
