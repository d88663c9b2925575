import type { KeyboardEvent } from "react";

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };

/** A key handler for lists: the arrow keys move the focus among the elements that `selector` finds. */
export function walkFocus(selector: string) {
  return (event: KeyboardEvent<HTMLElement>): void => {
    const step = STEPS[event.key];
    const stops = [...event.currentTarget.querySelectorAll<HTMLElement>(selector)];
    const at = stops.findIndex((stop) => stop === event.target);
    if (!step || at < 0) return;
    stops[at + step]?.focus();
    event.preventDefault();
  };
}
