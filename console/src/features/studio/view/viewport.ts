const reducesMotion = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

export const ZOOM_MS = reducesMotion ? 0 : 180;
/** A flow of two nodes is not blown up to fill the screen. */
export const FIT = { padding: 0.12, maxZoom: 1, minZoom: 0.1 };
