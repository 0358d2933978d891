// The digits that the page carries: gzipped bytes as base64 text, the images and then their labels.

import { PIXELS } from "./shapes.mjs";

/** Return {images, labels}, bytes of `count` digits, from base64 text of gzipped images and labels. */
export async function unpack(text, count) {
  const characters = atob(text);
  const packed = new Uint8Array(characters.length); // filled in a loop: a function for each character takes ten times as long
  for (let i = 0; i < packed.length; i++) packed[i] = characters.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  if (bytes.length !== count * (PIXELS + 1)) throw new Error(`The page carries ${bytes.length} bytes of digits: build it again.`);
  return { images: bytes.subarray(0, count * PIXELS), labels: bytes.subarray(count * PIXELS) };
}
