import {
  CircleCheck,
  CircleDashed,
  CirclePause,
  CircleStop,
  CircleX,
  LoaderCircle,
  type LucideIcon,
  RefreshCw,
  TriangleAlert,
} from "lucide-react";
import { useText } from "@/shared/i18n";
import { classes } from "@/shared/lib/classes";
import { statusName } from "./nodeText";

type Look = { Icon: LucideIcon; color: string; isTurning?: boolean };

const LOOKS: Record<string, Look> = {
  connecting: { Icon: LoaderCircle, color: "text-info", isTurning: true },
  running: { Icon: LoaderCircle, color: "text-info", isTurning: true },
  retry: { Icon: RefreshCw, color: "text-warn" },
  succeeded: { Icon: CircleCheck, color: "text-ok" },
  "partial-succeeded": { Icon: TriangleAlert, color: "text-warn" },
  exception: { Icon: TriangleAlert, color: "text-warn" },
  failed: { Icon: CircleX, color: "text-err" },
  stopped: { Icon: CircleStop, color: "text-t3" },
  paused: { Icon: CirclePause, color: "text-info" },
};
const UNKNOWN: Look = { Icon: CircleDashed, color: "text-t3" };

/** The state of a run or a node: an icon with its name beside it, or for readers of the screen only. */
export function StatusMark({ status, isIconOnly = false }: { status: string; isIconOnly?: boolean }) {
  const t = useText();
  const { Icon, color, isTurning } = LOOKS[status] ?? UNKNOWN;
  const name = statusName(t, status);
  return (
    <span
      className={classes("inline-flex items-center gap-1.5 align-middle whitespace-nowrap", color)}
      title={isIconOnly ? name : undefined}
    >
      <Icon aria-hidden="true" size={16} className={classes("shrink-0", isTurning && "animate-spin")} />
      <span className={isIconOnly ? "sr-only" : "font-medium"}>{name}</span>
    </span>
  );
}
