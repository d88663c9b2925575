/** Looks shared by everything that opens over the page. */
export const popupClass =
  "rounded-card border border-line bg-s1 text-body text-t1 shadow-float outline-none transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0";

export const itemClass =
  "flex min-h-8 cursor-default items-center gap-2 rounded-control px-2 text-body outline-none select-none data-highlighted:bg-s2 data-disabled:opacity-50";
