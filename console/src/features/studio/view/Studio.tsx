import { useReactFlow } from "@xyflow/react";
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Step } from "@/features/runs";
import { useSearchParam } from "@/shared/hooks/useSearchParam";
import { useText } from "@/shared/i18n";
import { statusName, typeName } from "@/shared/nodes/nodeText";
import type { Arrangement } from "../model/arrange";
import { type Describe, toFlowEdges, toFlowNodes } from "../model/flow";
import { type Graph, isNote } from "../model/graph";
import { outcomesOf } from "../model/outcomes";
import { stepFrom } from "../model/walk";
import { Canvas } from "./Canvas";
import { NodePanel } from "./NodePanel";
import { OutlinePanel } from "./OutlinePanel";
import { RunBanner } from "./RunBanner";
import { ZOOM_MS } from "./viewport";

type Props = {
  appId: string;
  graph: Graph;
  arrangement: Arrangement;
  runId: string | null;
  steps: readonly Step[];
};

function nodeElement(frame: HTMLElement | null, id: string): HTMLElement | null {
  return frame?.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(id)}"]`) ?? null;
}

/** The canvas with its outline and the panel of the chosen node. */
export function Studio({ appId, graph, arrangement, runId, steps }: Props) {
  const t = useText();
  const flow = useReactFlow();
  const frame = useRef<HTMLDivElement>(null);
  const [chosenId, setChosenId] = useSearchParam("node");
  const [isOutlineOpen, setIsOutlineOpen] = useState(false);
  const outcomes = useMemo(() => outcomesOf(graph, steps), [graph, steps]);
  const nodes = useMemo(() => {
    const describe: Describe = (node, state, inputs, outputs) =>
      t("studio.canvas.node", {
        type: typeName(t, isNote(node) ? "note" : node.type),
        title: node.title,
        state: statusName(t, state ?? "idle"),
        inputs: t("studio.canvas.inputs", { count: inputs }),
        outputs: t("studio.canvas.outputs", { count: outputs }),
      });
    return toFlowNodes(graph, arrangement, outcomes, describe);
  }, [graph, arrangement, outcomes, t]);
  const edges = useMemo(() => toFlowEdges(graph, outcomes), [graph, outcomes]);
  const shown = useMemo(
    () => nodes.map((node) => (node.id === chosenId ? { ...node, selected: true } : node)),
    [nodes, chosenId],
  );
  const chosen = graph.nodes.find((node) => node.id === chosenId);

  const focusNode = useCallback((id: string) => {
    nodeElement(frame.current, id)?.focus();
  }, []);
  const show = useCallback(
    (id: string) =>
      flow.fitView({ nodes: [{ id }], duration: ZOOM_MS, maxZoom: Math.max(flow.getZoom(), 0.8), minZoom: 0.5 }),
    [flow],
  );
  /** Brings a node into view and the focus to it; far nodes are drawn only once they are in view. */
  const goTo = async (id: string) => {
    setChosenId(id, true);
    await show(id);
    requestAnimationFrame(() => focusNode(id));
  };
  // Panels take room from the canvas and may cover the node that is chosen.
  useEffect(() => {
    const canvas = frame.current?.querySelector(".react-flow");
    if (!chosenId || !canvas) return;
    const observer = new ResizeObserver(() => {
      const node = nodeElement(frame.current, chosenId)?.getBoundingClientRect();
      const room = canvas.getBoundingClientRect();
      if (node && (node.right > room.right || node.left < room.left)) requestAnimationFrame(() => show(chosenId));
    });
    observer.observe(canvas);
    return () => observer.disconnect();
  }, [chosenId, show]);
  const close = () => {
    const id = chosenId;
    setChosenId(null, true);
    if (id) focusNode(id);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (event.key.toLowerCase() === "f" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      setIsOutlineOpen(true);
    }
    if (event.key === "Escape" && chosenId && !event.defaultPrevented) close();
    const from = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>(".react-flow__node") : null;
    const next = event.altKey && from?.dataset.id ? stepFrom(graph, from.dataset.id, event.key) : undefined;
    if (next) {
      event.preventDefault();
      void goTo(next);
    }
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: shortcuts; each has a button.
    <div ref={frame} className="relative flex h-full min-h-0" onKeyDown={onKeyDown}>
      {isOutlineOpen && (
        <OutlinePanel
          graph={graph}
          outcomes={outcomes}
          chosenId={chosenId}
          onChoose={goTo}
          onClose={() => setIsOutlineOpen(false)}
        />
      )}
      <div className="flex min-w-0 flex-1 flex-col">
        {runId && <RunBanner appId={appId} runId={runId} />}
        <Canvas
          nodes={shown}
          edges={edges}
          chosenId={chosenId}
          onChoose={(id) => setChosenId(id, true)}
          isOutlineOpen={isOutlineOpen}
          onToggleOutline={() => setIsOutlineOpen(!isOutlineOpen)}
        />
      </div>
      {chosen && (
        <NodePanel
          key={chosen.id}
          appId={appId}
          graph={graph}
          node={chosen}
          steps={steps.filter((step) => step.nodeId === chosen.id)}
          onGo={goTo}
          onClose={close}
        />
      )}
    </div>
  );
}
