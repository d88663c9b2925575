import type { Box } from "./graph";

/** Two nodes nearer than this look like one. */
const GAP = 4;

export function overlaps(a: Box, b: Box, gap = GAP): boolean {
  return (
    a.x < b.x + b.width + gap && b.x < a.x + a.width + gap && a.y < b.y + b.height + gap && b.y < a.y + a.height + gap
  );
}

/** Whether any two boxes overlap. Boxes are swept from left to right, so a long flow stays cheap. */
export function hasOverlap(boxes: readonly Box[], gap = GAP): boolean {
  const sorted = boxes.toSorted((a, b) => a.x - b.x);
  let open: Box[] = [];
  for (const box of sorted) {
    open = open.filter((other) => other.x + other.width + gap > box.x);
    if (open.some((other) => overlaps(box, other, gap))) return true;
    open.push(box);
  }
  return false;
}

const STEP = 40;
const MAX_RINGS = 200;

/** The place nearest to `box` where it overlaps none of `taken`. */
export function nearestFree(box: Box, taken: readonly Box[]): Box {
  const isFree = (candidate: Box) => !taken.some((other) => overlaps(candidate, other));
  if (isFree(box)) return box;
  for (let ring = 1; ring <= MAX_RINGS; ring++) {
    const far = ring * STEP;
    for (let along = 0; along <= far; along += STEP) {
      for (const [dx, dy] of [
        [along, -far],
        [-along, -far],
        [along, far],
        [-along, far],
        [far, along],
        [far, -along],
        [-far, along],
        [-far, -along],
      ] as const) {
        const candidate = { ...box, x: box.x + dx, y: box.y + dy };
        if (isFree(candidate)) return candidate;
      }
    }
  }
  return box;
}
