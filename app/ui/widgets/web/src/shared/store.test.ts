import { expect, test } from 'vitest';
import { store } from './store.js';

test('what is said on a channel reaches those who listen on it, and nobody on another', () => {
  const heard: unknown[] = [];
  let channel = 'tree';
  const stop = store.listen(
    'point',
    () => channel,
    (told) => heard.push(told),
  );
  store.say('point', 'tree', { block: 3 });
  store.say('point', 'other', { block: 4 });
  store.say('light', 'tree', { blocks: [1], parts: [25] });
  channel = 'other';
  store.say('point', 'other', { length: 2 });
  stop();
  store.say('point', 'other', { block: 5 });
  expect(heard).toEqual([{ block: 3 }, { length: 2 }]);
});

test('the empty channel reaches nobody', () => {
  const heard: unknown[] = [];
  const stop = store.listen(
    'hint',
    () => '',
    (told) => heard.push(told),
  );
  store.say('hint', '', { at: 'stem.conv' });
  stop();
  expect(heard).toEqual([]);
});

test('who stops listening while it is told hears no more', () => {
  const heard: string[] = [];
  const listen = (name: string): (() => void) =>
    store.listen(
      'hint',
      () => 'all',
      () => {
        heard.push(name);
        for (const stop of stops) stop();
      },
    );
  const stops: (() => void)[] = [];
  stops.push(listen('one'));
  store.say('hint', 'all', { at: null });
  store.say('hint', 'all', { at: null });
  expect(heard).toEqual(['one']);
});
