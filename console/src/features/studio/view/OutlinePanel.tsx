import { Search, X } from "lucide-react";
import { useMemo, useState } from "react";
import { useText } from "@/shared/i18n";
import { classes } from "@/shared/lib/classes";
import { walkFocus } from "@/shared/lib/walkFocus";
import { NodeTile } from "@/shared/nodes/NodeTile";
import { typeName } from "@/shared/nodes/nodeText";
import { StatusMark } from "@/shared/nodes/StatusMark";
import { IconButton } from "@/shared/ui/IconButton";
import { Input } from "@/shared/ui/Input";
import type { Outcomes } from "../model/flow";
import type { Graph } from "../model/graph";
import { outlineOf } from "../model/walk";

type Props = {
  graph: Graph;
  outcomes: Outcomes;
  chosenId: string | null;
  onChoose: (id: string) => void;
  onClose: () => void;
};

const walkList = walkFocus("input, li > button");

/** The flow as a list with search: another way to read it, and the quick way to a node. */
export function OutlinePanel({ graph, outcomes, chosenId, onChoose, onClose }: Props) {
  const t = useText();
  const [query, setQuery] = useState("");
  const entries = useMemo(() => outlineOf(graph, query), [graph, query]);
  return (
    <aside
      aria-label={t("studio.outline.title")}
      onKeyDown={walkList}
      className="flex w-64 shrink-0 flex-col border-e border-line bg-s1 max-tablet:absolute max-tablet:inset-y-0 max-tablet:start-0 max-tablet:z-panel"
    >
      <div className="flex items-center justify-between ps-4 pe-2 pt-2">
        <h2 className="text-body font-semibold text-t1">{t("studio.outline.title")}</h2>
        <IconButton
          size="compact"
          label={t("common.close")}
          icon={<X aria-hidden="true" size={16} />}
          onClick={onClose}
        />
      </div>
      <div className="relative px-3 py-2">
        <Search aria-hidden="true" size={14} className="absolute inset-y-0 start-5.5 my-auto text-t3" />
        <Input
          type="search"
          value={query}
          autoFocus
          aria-label={t("studio.outline.search")}
          placeholder={t("studio.outline.search")}
          onChange={(event) => setQuery(event.target.value)}
          onKeyDown={(event) => {
            const isComposing = event.nativeEvent.isComposing || event.keyCode === 229;
            if (event.key === "Enter" && !isComposing && entries[0]) onChoose(entries[0].id);
          }}
          className="ps-8"
        />
      </div>
      {entries.length === 0 && <p className="px-4 py-2 text-dense text-t3">{t("common.noMatches")}</p>}
      <ul className="min-h-0 flex-1 overflow-y-auto px-2 pb-3">
        {entries.map((entry) => {
          const status = outcomes.get(entry.id)?.status;
          return (
            <li key={entry.id} style={{ paddingInlineStart: entry.depth * 16 }}>
              <button
                type="button"
                aria-current={entry.id === chosenId || undefined}
                onClick={() => onChoose(entry.id)}
                className={classes(
                  "flex min-h-8 w-full items-center gap-2 rounded-control px-2 py-1 text-start text-dense text-t1 -outline-offset-2",
                  entry.id === chosenId ? "bg-accent-soft" : "hover:bg-s2",
                )}
              >
                <NodeTile type={entry.type} />
                <span className="min-w-0 flex-1 truncate" title={entry.title}>
                  {entry.title || typeName(t, entry.type)}
                </span>
                {status && <StatusMark status={status} isIconOnly />}
              </button>
            </li>
          );
        })}
      </ul>
    </aside>
  );
}
