/** The bytes of an asset's file. Run when the page is built: the page itself only ever sees them come over HTTP. */

import { encode } from '@cwasm/lodepng';
import { PICTURE_SIDE, type Entry } from './catalog.ts';
import { makeLevel } from './level.ts';
import { makeMesh } from './mesh.ts';
import { drawPicture } from './picture.ts';
import { makeSound } from './sound.ts';

/** Makes the file; the same bytes each time. */
export function makeFile({ index, title, content }: Entry): Uint8Array {
  switch (content.kind) {
    case 'picture':
      return encode({ width: PICTURE_SIDE, height: PICTURE_SIDE, data: drawPicture(content, index) });
    case 'level':
      return new TextEncoder().encode(JSON.stringify(makeLevel(title, index)));
    case 'mesh':
      return new Uint8Array(makeMesh(content.windings).buffer);
    case 'sound':
      return new Uint8Array(makeSound(content.frequency, index).buffer);
  }
}
