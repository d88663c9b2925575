import { Panel, useReactFlow, useStore } from "@xyflow/react";
import { ListTree, Maximize, Minus, Plus } from "lucide-react";
import { useText } from "@/shared/i18n";
import { formatNumber } from "@/shared/i18n/format";
import { IconButton } from "@/shared/ui/IconButton";
import { FIT, ZOOM_MS } from "./viewport";

type Props = { isOutlineOpen: boolean; onToggleOutline: () => void };

export function CanvasToolbar({ isOutlineOpen, onToggleOutline }: Props) {
  const t = useText();
  const flow = useReactFlow();
  return (
    <Panel position="bottom-left" className="!m-3 flex items-center gap-1 rounded-card border border-line bg-s1 p-1">
      <IconButton
        size="compact"
        label={t("studio.toolbar.outline")}
        aria-pressed={isOutlineOpen}
        icon={<ListTree aria-hidden="true" size={16} />}
        onClick={onToggleOutline}
      />
      <span className="mx-1 h-5 w-px bg-line" />
      <IconButton
        size="compact"
        label={t("studio.toolbar.zoomOut")}
        icon={<Minus aria-hidden="true" size={16} />}
        onClick={() => flow.zoomOut({ duration: ZOOM_MS })}
      />
      <ZoomLevel onPress={() => flow.zoomTo(1, { duration: ZOOM_MS })} />
      <IconButton
        size="compact"
        label={t("studio.toolbar.zoomIn")}
        icon={<Plus aria-hidden="true" size={16} />}
        onClick={() => flow.zoomIn({ duration: ZOOM_MS })}
      />
      <IconButton
        size="compact"
        label={t("studio.toolbar.fit")}
        icon={<Maximize aria-hidden="true" size={16} />}
        onClick={() => flow.fitView({ ...FIT, duration: ZOOM_MS })}
      />
    </Panel>
  );
}

function ZoomLevel({ onPress }: { onPress: () => void }) {
  const t = useText();
  const percent = useStore((state) => Math.round(state.transform[2] * 100));
  const level = formatNumber(percent / 100, { style: "percent" });
  return (
    <button
      type="button"
      onClick={onPress}
      aria-label={t("studio.toolbar.zoomLevel", { level })}
      className="h-7 min-w-12 rounded-control px-1 text-label text-t2 tabular-nums hover:bg-s2"
    >
      {level}
    </button>
  );
}
