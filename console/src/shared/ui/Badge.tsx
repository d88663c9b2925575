import type { ReactNode } from "react";
import { classes } from "@/shared/lib/classes";

const TONES = {
  neutral: "border-line bg-s2 text-t2",
  accent: "border-transparent bg-accent-soft text-accent",
  ok: "border-ok text-ok",
  warn: "border-warn text-warn",
  err: "border-err text-err",
  info: "border-info text-info",
};
export type Tone = keyof typeof TONES;

export function Badge({ tone = "neutral", icon, children }: { tone?: Tone; icon?: ReactNode; children: ReactNode }) {
  return (
    <span
      className={classes(
        "inline-flex h-5 shrink-0 items-center gap-1 rounded-chip border px-1.5 text-label font-medium whitespace-nowrap",
        TONES[tone],
      )}
    >
      {icon}
      {children}
    </span>
  );
}
