import { useDelayed } from "@/shared/hooks/useDelayed";
import { useText } from "@/shared/i18n";
import { classes } from "@/shared/lib/classes";

const BAR_WIDTHS = ["100%", "86%", "72%", "58%", "44%", "30%"];

/** Grey bars in place of content that is on its way; appears after 150 ms so that quick answers do not flicker. */
export function Skeleton({ lines = 3, className }: { lines?: number; className?: string }) {
  const t = useText();
  const isVisible = useDelayed(150);
  return (
    <div role="status" className={classes("flex flex-col gap-3", className)}>
      <span className="sr-only">{t("common.loading")}</span>
      {isVisible &&
        BAR_WIDTHS.slice(0, lines).map((width) => (
          <div key={width} className="h-4 animate-pulse rounded-chip bg-s2" style={{ width }} />
        ))}
    </div>
  );
}
