import { currentLanguage } from "./index";

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

export function formatNumber(value: number, options?: Intl.NumberFormatOptions): string {
  return new Intl.NumberFormat(currentLanguage(), options).format(value);
}

export function formatDateTime(iso: string): string {
  return new Intl.DateTimeFormat(currentLanguage(), { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

export function formatRelative(iso: string, now = Date.now()): string {
  const seconds = (new Date(iso).getTime() - now) / 1000;
  const relative = new Intl.RelativeTimeFormat(currentLanguage(), { numeric: "auto" });
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return spaced(relative.format(Math.round(seconds / size), unit));
  }
  return spaced(relative.format(Math.min(0, Math.round(seconds)), "second"));
}

/** `0.42` -> "420 ms", `3.14` -> "3.1 s", `75` -> "75 s". */
export function formatSeconds(seconds: number): string {
  const isShort = seconds < 1;
  const amount = formatNumber(isShort ? seconds * 1000 : seconds, {
    style: "unit",
    unit: isShort ? "millisecond" : "second",
    maximumFractionDigits: isShort || seconds >= 10 ? 0 : 1,
  });
  return spaced(amount);
}

/** Chinese is set with a space beside figures, which `Intl` leaves out. */
function spaced(text: string): string {
  return text.replace(/(\d)(?=[\u3400-\u9fff])/g, "$1 ").replace(/([\u3400-\u9fff])(?=\d)/g, "$1 ");
}

export function formatList(items: readonly string[]): string {
  return new Intl.ListFormat(currentLanguage(), { type: "conjunction" }).format(items);
}
