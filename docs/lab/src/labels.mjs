// Places for labels in a picture, so that none hides another one, a point or, where it can be helped, a line.

/** Return the box of a `width` and a `height` whose middle is at (x, y). */
export const around = (x, y, width, height = width) =>
  ({ left: x - width / 2, top: y - height / 2, right: x + width / 2, bottom: y + height / 2 });

/** Return the area that two boxes share. */
export function shared(a, b) {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return Math.max(0, width) * Math.max(0, height);
}

/** Return small boxes along the line through `points`, [[x, y], …], as far as they lie in `bounds`. */
export function along(points, bounds, size = 4) {
  const boxes = [];
  points.slice(1).forEach(([x, y], i) => {
    const [fromX, fromY] = points[i];
    const count = Math.min(200, Math.ceil(Math.hypot(x - fromX, y - fromY) / size));
    for (let k = 0; k <= count; k++) {
      const part = count ? k / count : 0;
      const box = around(fromX + part * (x - fromX), fromY + part * (y - fromY), size);
      if (shared(box, bounds)) boxes.push(box);
    }
  });
  return boxes;
}

/** Return the first of the boxes `places` that hides nothing, or else the one that hides least.
 *
 * What lies beyond `bounds` or on one of the `solid` boxes counts a hundred times what lies on a `light` one. */
export function bestPlace(places, bounds, solid, light = []) {
  const hidden = (box) => {
    const on = (boxes) => boxes.reduce((sum, other) => sum + shared(box, other), 0);
    return 100 * (shared(box, box) - shared(box, bounds) + on(solid)) + on(light);
  };
  let [best, least] = [null, Infinity];
  for (const box of places) {
    const cost = hidden(box);
    if (cost < least) [best, least] = [box, cost];
  }
  return best;
}
