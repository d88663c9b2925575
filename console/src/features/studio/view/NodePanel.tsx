import { useQuery } from "@tanstack/react-query";
import { ArrowRight, X } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { NodeDetails, type Step, ValueView } from "@/features/runs";
import { useText } from "@/shared/i18n";
import { NodeTile } from "@/shared/nodes/NodeTile";
import { typeName } from "@/shared/nodes/nodeText";
import { IconButton } from "@/shared/ui/IconButton";
import { fileQuery } from "../api";
import { withTitles } from "../model/flow";
import { type Graph, type GraphNode, isNote } from "../model/graph";
import { nodeYaml } from "../model/nodeYaml";
import { neighboursOf } from "../model/walk";
import { NodeTitle } from "./NodeTitle";

type Props = {
  appId: string;
  graph: Graph;
  node: GraphNode;
  /** What the node did in the run that is shown, each time it ran. */
  steps: readonly Step[];
  onGo: (id: string) => void;
  onClose: () => void;
};

/** Everything about the chosen node: its name, what it is set to, what is before and after it, what it did in a run. */
export function NodePanel({ appId, graph, node, steps, onGo, onClose }: Props) {
  const t = useText();
  const panel = useRef<HTMLElement>(null);
  const type = isNote(node) ? "note" : node.type;
  const { previous, next } = neighboursOf(graph, node.id);
  const last = steps.at(-1);
  const { data: configuration } = useQuery({
    ...fileQuery(appId),
    enabled: !isNote(node),
    select: (file) => nodeYaml(file, node.id),
  });
  const titles = new Map(graph.nodes.map((each) => [each.id, each.title]));
  const byId = new Map(graph.nodes.map((each) => [each.id, each]));
  const linked = (ids: readonly string[]) => [...new Set(ids)].flatMap((id) => byId.get(id) ?? []);
  useEffect(() => {
    panel.current?.scrollTo({ top: 0 });
  }, []);
  return (
    <aside
      ref={panel}
      tabIndex={0}
      aria-label={t("studio.panel.title", { title: node.title || typeName(t, type) })}
      className="flex w-[340px] max-w-full shrink-0 flex-col gap-5 overflow-y-auto border-s border-line bg-s1 p-4 -outline-offset-2 max-tablet:absolute max-tablet:inset-y-0 max-tablet:end-0 max-tablet:z-panel"
    >
      <div className="flex items-start gap-2">
        <NodeTile type={type} size={28} />
        <div className="min-w-0 flex-1">
          {isNote(node) ? (
            <h2 className="text-body font-semibold text-t1">{typeName(t, type)}</h2>
          ) : (
            <NodeTitle key={node.id + node.title} appId={appId} node={node} />
          )}
          <p className="text-label text-t3">{typeName(t, type)}</p>
        </div>
        <IconButton
          size="compact"
          label={t("common.close")}
          icon={<X aria-hidden="true" size={16} />}
          onClick={onClose}
        />
      </div>
      {last && (
        <Part title={steps.length > 1 ? t("studio.panel.lastOf", { count: steps.length }) : t("studio.panel.lastRun")}>
          <NodeDetails key={last.id} step={last} />
        </Part>
      )}
      {node.summary.length > 0 && (
        <Part title={isNote(node) ? t("studio.panel.text") : t("studio.panel.summary")}>
          {node.summary.map((line) => (
            <p key={line} className="text-dense wrap-anywhere whitespace-pre-wrap text-t2">
              {withTitles(line, titles)}
            </p>
          ))}
        </Part>
      )}
      {configuration && (
        <Part title={t("studio.panel.configuration")}>
          <ValueView name={t("studio.panel.asInFile")} value={configuration} />
        </Part>
      )}
      {previous.length > 0 && (
        <Part title={t("studio.panel.before")}>
          <Links nodes={linked(previous)} onGo={onGo} />
        </Part>
      )}
      {next.length > 0 && (
        <Part title={t("studio.panel.after")}>
          <Links nodes={linked(next)} onGo={onGo} />
        </Part>
      )}
      <p className="font-mono text-label text-t3">{t("studio.panel.id", { id: node.id })}</p>
    </aside>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="flex flex-col gap-2">
      <h3 className="text-dense font-semibold text-t1">{title}</h3>
      {children}
    </section>
  );
}

function Links({ nodes, onGo }: { nodes: readonly GraphNode[]; onGo: (id: string) => void }) {
  const t = useText();
  return (
    <ul className="-mx-1.5 flex flex-col">
      {nodes.map((node) => (
        <li key={node.id}>
          <button
            type="button"
            onClick={() => onGo(node.id)}
            className="flex min-h-8 w-full items-center gap-2 rounded-control px-1.5 text-start text-dense text-t1 hover:bg-s2"
          >
            <NodeTile type={node.type} />
            <span className="min-w-0 flex-1 truncate">{node.title || typeName(t, node.type)}</span>
            <ArrowRight aria-hidden="true" size={14} className="text-t3" />
          </button>
        </li>
      ))}
    </ul>
  );
}
