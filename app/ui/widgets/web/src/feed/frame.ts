/** What `app.ui.widgets.feed` frames: [length of the head, 4 bytes][head, JSON][body]. */
export function unframed<Head>(bytes: Uint8Array<ArrayBuffer>): { head: Head; body: Uint8Array<ArrayBuffer> } {
  const end = 4 + new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  return { head: JSON.parse(new TextDecoder().decode(bytes.subarray(4, end))) as Head, body: bytes.subarray(end) };
}

/** And what it packs: gzipped JSON. */
export const unpacked = async <T>(bytes: Uint8Array<ArrayBuffer>): Promise<T> =>
  (await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).json()) as T;
