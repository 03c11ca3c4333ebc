import { expect, test } from 'vitest';
import { unframed, unpacked } from './frame.js';

const packed = async (text: string): Promise<Uint8Array<ArrayBuffer>> => {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

test('a head of JSON behind its length, then the body', () => {
  const bytes = new Uint8Array([7, 0, 0, 0, ...new TextEncoder().encode('{"a":1}'), 9, 8]);
  const { head, body } = unframed<{ a: number }>(bytes);
  expect(head).toEqual({ a: 1 });
  expect([...body]).toEqual([9, 8]);
});

test('a frame that begins within a larger buffer', () => {
  const bytes = new Uint8Array([255, 255, 2, 0, 0, 0, 91, 93, 5]).subarray(2);
  const { head, body } = unframed<unknown[]>(bytes);
  expect(head).toEqual([]);
  expect([...body]).toEqual([5]);
});

test('a body is gzipped JSON', async () => {
  expect(await unpacked(await packed('{"steps":[1,2],"name":"ä"}'))).toEqual({ steps: [1, 2], name: 'ä' });
});
